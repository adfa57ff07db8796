from antiphon.cli.routes import load_app, load_feature

__all__ = ["load_app", "load_feature"]
