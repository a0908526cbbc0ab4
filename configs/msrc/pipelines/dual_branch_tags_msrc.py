# 60 masks and 225 images with tags: the masks alone, masks of the judge's choice, dual branch
_base_ = '../../_base_/pipelines/teacher.py'
teacher_config = '../single_strong_efflite0_msrc.py'
student_config, kinds = '../dual_branch_tags_efflite0_msrc.py', ['image']
truth = '{{$MSRC_ROOT:data/msrc}}/SegmentationClass'  # the weak images have some
