"""The notes: all of them, and those of a user to change."""

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from .auth import login_required
from .database import connection

bp = Blueprint("notes", __name__)


@bp.route("/")
def index():
    found = connection().execute(
        "SELECT note.id, title, text, made, author, name FROM note JOIN user ON author = user.id ORDER BY note.id DESC"
    )
    return render_template("notes/index.html", notes=found.fetchall())


def note_of(note_id, check=True):
    note = connection().execute("SELECT * FROM note WHERE id = ?", (note_id,)).fetchone()
    if note is None:
        abort(404, f"There is no note {note_id}.")
    if check and note["author"] != g.user["id"]:
        abort(403)
    return note


@bp.route("/create", methods=("GET", "POST"))
@login_required
def create():
    if request.method == "POST" and is_complete():
        values = (request.form["title"], request.form["text"], g.user["id"])
        connection().execute("INSERT INTO note (title, text, author) VALUES (?, ?, ?)", values)
        connection().commit()
        return redirect(url_for("notes.index"))
    return render_template("notes/form.html", note=None)


@bp.route("/<int:id>/update", methods=("GET", "POST"))
@login_required
def update(id):
    note = note_of(id)
    if request.method == "POST" and is_complete():
        values = (request.form["title"], request.form["text"], id)
        connection().execute("UPDATE note SET title = ?, text = ? WHERE id = ?", values)
        connection().commit()
        return redirect(url_for(".index", _anchor=f"note-{id}"))
    return render_template("notes/form.html", note=note)


@bp.post("/<int:id>/delete")
@login_required
def delete(id):
    note_of(id)
    connection().execute("DELETE FROM note WHERE id = ?", (id,))
    connection().commit()
    return redirect(url_for("notes.index"))


def is_complete():
    if not request.form["title"]:
        flash("A title is needed.")
        return False
    return True
