from tests.helpers.parsed_files import files_parsed_once

__all__ = ["files_parsed_once"]
