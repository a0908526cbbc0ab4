# 60 masks and 225 unlabelled images: the masks alone, masks of the judge's choice, dual branch
_base_ = './dual_branch_tags_msrc.py'
student_config, kinds = '../dual_branch_unlabelled_efflite0_msrc.py', ['none']
