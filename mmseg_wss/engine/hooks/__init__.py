from .checkpoint_hook import ResumableCheckpointHook
from .classify_first_hook import ClassifyFirstHook
from .label_share_hook import LabelShareHook
from .master_logger_hook import MasterLoggerHook
from .non_finite_loss_hook import NonFiniteLossHook
from .progress_hook import ProgressHook
from .seen_size_hook import SeenSizeHook
from .setup_check_hook import SetupCheckHook
from .val_panel_hook import ValPanelHook
from .whole_network_hook import WholeNetworkHook
from .zero_iou_hook import ZeroIoUHook

__all__ = [
    'ClassifyFirstHook', 'LabelShareHook', 'MasterLoggerHook', 'NonFiniteLossHook', 'ProgressHook',
    'ResumableCheckpointHook', 'SeenSizeHook', 'SetupCheckHook', 'ValPanelHook', 'WholeNetworkHook',
    'ZeroIoUHook'
]
