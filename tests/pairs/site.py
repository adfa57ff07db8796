"""The application that servers run: the program in a folder."""

from tests.pairs.shared import folder

path = folder() / "program.py"
names: dict[str, object] = {"__name__": "pairs_program"}
exec(compile(path.read_text(), str(path), "exec"), names)
app = names["app"]
