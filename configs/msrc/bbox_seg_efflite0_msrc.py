# Bbox-Seg: 285 images with masks that a CRF makes from boxes. To make them:
# tools/generate_proposals.py configs/msrc/bbox_rect_efflite0_msrc.py --method bbox_seg --out
# data/msrc/PseudoMask_bbox_seg
_base_ = './bbox_rect_efflite0_msrc.py'
segments = dict(
    _base_.boxes, supervision='pseudo', pseudo_mask='PseudoMask_bbox_seg', made_by='bbox_seg')
train_dataloader = dict(dataset=dict(datasets=[segments]))
