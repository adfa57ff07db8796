"""Asset specifications, under their names from before Pyramid 1.4."""

from antiphon.dialects.pyramid.asset import abspath_from_asset_spec, asset_spec_from_abspath, resolve_asset_spec

abspath_from_resource_spec = abspath_from_asset_spec
resolve_resource_spec = resolve_asset_spec
resource_spec_from_abspath = asset_spec_from_abspath
