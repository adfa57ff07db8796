from antiphon.cli.routes import load_app

__all__ = ["load_app"]
