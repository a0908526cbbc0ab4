from .publish_strong import publish_strong
from .resnet38 import convert_resnet38

__all__ = ['convert_resnet38', 'publish_strong']
