"""Registering, logging in and out."""

import functools
import sqlite3

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from .database import connection

bp = Blueprint("auth", __name__, url_prefix="/auth")


def login_required(view):
    @functools.wraps(view)
    def wrapped(**kwargs):
        if g.user is None:
            return redirect(url_for("auth.login"))
        return view(**kwargs)

    return wrapped


@bp.before_app_request
def load_user():
    user_id = session.get("user_id")
    found = user_id and connection().execute("SELECT * FROM user WHERE id = ?", (user_id,)).fetchone()
    g.user = found or None


@bp.route("/register", methods=("GET", "POST"))
def register():
    if request.method == "POST":
        name, password = request.form["name"], request.form["password"]
        error = None if name and password else "A name and a password are needed."
        if error is None:
            try:
                hashed = generate_password_hash(password, method="pbkdf2:sha256:1")
                connection().execute("INSERT INTO user (name, password) VALUES (?, ?)", (name, hashed))
                connection().commit()
                return redirect(url_for("auth.login"))
            except sqlite3.IntegrityError:
                error = f"{name} is registered already."
        flash(error)
    return render_template("auth/form.html", title="Register")


@bp.route("/login", methods=("GET", "POST"))
def login():
    if request.method == "POST":
        user = connection().execute("SELECT * FROM user WHERE name = ?", (request.form["name"],)).fetchone()
        if user is not None and check_password_hash(user["password"], request.form["password"]):
            session.clear()
            session["user_id"] = user["id"]
            return redirect(url_for("index"))
        flash("The name or the password is wrong.", "error")
    return render_template("auth/form.html", title="Log in")


@bp.route("/logout")
def logout():
    session.clear()
    return redirect(url_for("index"))
