from .layer_norm_maps import LayerNormMaps

__all__ = ['LayerNormMaps']
