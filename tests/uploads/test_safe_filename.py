"""Names that clients give files, made harmless."""

import ntpath
import os
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.utils import secure_filename

from antiphon.uploads.temporary_file import LONGEST, safe_filename
from tests.helpers.rows import rows

KEPT = {
    "plain": "report.pdf",
    "spaces": "My cool movie (final) v2.mov",
    "several dots": "archive.tar.gz",
    "no extension": "README",
    "underscores": "__init__.py",
    "signs": "50% off & more; it's [here] #1+~@=,!$`^{}.txt",
    "a dash": "-rf",
    "French": "Été à la plage.jpg",
    "Greek": "Ωδή.txt",
    "Arabic": "تقرير.pdf",
    "Hebrew": "דוח.pdf",
    "Hindi": "रिपोर्ट.pdf",
    "Thai": "รายงาน.pdf",
    "Japanese": "写真 プール.png",
    "Korean": "보고서.hwp",
    "emoji": "🏖️.png",
    "reserved, within a word": "console.txt",
    "reserved, with a number too many": "com10.txt",
    "reserved, as an extension": "a.con",
    "long": "a" * 251 + ".txt",
}


def fullwidth(text):
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


CHANGED = {
    "a POSIX path": ("../../../etc/passwd", "passwd"),
    "an absolute path": ("/etc/passwd", "passwd"),
    "a Windows path": ("C:\\Users\\me\\photo.png", "photo.png"),
    "a UNC path": ("\\\\server\\share\\x.txt", "x.txt"),
    "both separators": ("a/b\\c", "c"),
    "a drive": ("C:x.txt", "x.txt"),
    "two drives": ("C:D:x.txt", "D_x.txt"),
    "a folder's file": ("holiday/2024/beach.jpg", "beach.jpg"),
    "a stream": ("x.txt:hidden", "x.txt_hidden"),
    "a time": ("10:30 meeting.txt", "10_30 meeting.txt"),
    "hidden": (".htaccess", "htaccess"),
    "many dots": ("...a...", "a"),
    "dots and spaces": (" . .a. . ", "a"),
    "wildcards": ('what?*<>|"', "what______"),
    "NUL": ("a.php\0.png", "a.php.png"),
    "line breaks": ("a\r\nb.txt", "a b.txt"),
    "other spaces": ("Screenshot 1.23\u202fPM\u00a0\u3000x.png", "Screenshot 1.23 PM x.png"),
    "bidi override": ("photo\u202egnp.exe", "photognp.exe"),
    "zero width": ("a\u200bb\ufeff.txt", "ab.txt"),
    "space around what is dropped": ("a \u200b b", "a b"),
    "a surrogate": ("a\udc80b", "ab"),
    "private use": ("a\uf02ab", "ab"),
    "decomposed": ("e\u0301.txt", "é.txt"),
    "decomposed by what is dropped": ("e\u200d\u0301.txt", "é.txt"),
    "reserved": ("CON", "_CON"),
    "reserved, lower case": ("nul.txt", "_nul.txt"),
    "reserved, two extensions": ("Aux.tar.gz", "_Aux.tar.gz"),
    "reserved, before a space": ("com1 .txt", "_com1 .txt"),
    "reserved, superscript": ("LPT\xb9.txt", "_LPT1.txt"),
    "reserved, fullwidth": (fullwidth("con.txt"), "_con.txt"),
    "fullwidth": (fullwidth("photo.png"), "photo.png"),
    "halfwidth": ("\uff8c\uff9f\uff70\uff99.png", "プール.png"),
    "a ligature": ("\ufb01le.txt", "file.txt"),
    "a fullwidth path": (fullwidth("../..\\etc/passwd"), "passwd"),
    "a fullwidth drive": (fullwidth("C:x.txt"), "x.txt"),
    "fullwidth wildcards": (fullwidth("a?*<.txt"), "a___.txt"),
    "an ellipsis": ("\u2026a\u2026.txt", "a....txt"),
    "dots of other kinds": ("\u2024\u2024", "upload"),
    "an accent of its own": ("a\xa8b.txt", "a \u0308b.txt"),
    "reserved, console": ("conin$", "_conin$"),
    "empty": ("", "upload"),
    "a dot": (".", "upload"),
    "two dots": ("..", "upload"),
    "a separator": ("a/", "upload"),
    "spaces alone": (" \t ", "upload"),
    "controls alone": ("\x01\x7f\x9f", "upload"),
    "long": ("a" * 300 + ".txt", "a" * 251 + ".txt"),
    "long, in two bytes each": ("é" * 300 + ".jpeg", "é" * 125 + ".jpeg"),
    "long, in four bytes each": ("🏖" * 300 + ".png", "🏖" * 62 + ".png"),
    "long, without extension": ("a" * 300, "a" * 255),
    "long, with a space where it's cut": ("a" * 254 + " bc", "a" * 254),
    "a long extension": ("a." + "b" * 300, "a." + "b" * 253),
    "very long": ("a" * 100_000 + ".txt", "a" * 251 + ".txt"),
    "very long by spaces": ("a" + " " * 100_000 + "b.txt", "a .txt"),
}


@rows("name", KEPT.values(), ids=KEPT)
def test_a_good_name_is_kept(name):
    assert safe_filename(name) == name


@rows("name, expected", CHANGED.values(), ids=CHANGED)
def test_a_bad_name_is_mended(name, expected):
    assert safe_filename(name) == expected


hostile = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            './\\:*?"<>|~ \0\r\n\t\u202e\u200d\u0301\u0338\u0344\u1fef\u037e\uff0f\u2024\ufeff'
            "\u2026\uff1a\u00a8\ufdfa\uff43"
        ),
        st.sampled_from("conprnauxul0123456789$\xb9"),
    ),
    max_size=400,
) | st.from_regex(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])[ .]{0,3}[a-z.]{0,5}", fullmatch=True)


def is_reserved(name):
    """Whether the standard library knows that Windows keeps this name to itself."""
    if hasattr(ntpath, "isreserved"):
        return ntpath.isreserved(name)
    return PureWindowsPath(name).is_reserved()


@given(hostile)
@example("a" * 249 + " . .txt")
@example("<\u0338")
def test_any_name_can_stand_in_any_folder(name):
    safe = safe_filename(name)
    assert safe not in ("", ".", "..")
    assert 0 < len(os.fsencode(safe)) <= LONGEST
    assert os.path.basename(safe) == safe
    assert PurePosixPath(safe).parts == PureWindowsPath(safe).parts == (safe,)
    assert not is_reserved(safe)
    assert not set(safe) & set('<>:"/\\|?*')
    assert safe.isprintable()
    assert not {unicodedata.category(character) for character in safe} & {"Cc", "Cf", "Cs", "Co", "Cn"}
    assert safe[0] not in " ."
    assert safe[-1] not in " ."
    assert unicodedata.is_normalized("NFKC", safe)


@given(hostile)
def test_a_safe_name_stays_as_it_is(name):
    assert safe_filename(safe_filename(name)) == safe_filename(name)


@given(name=hostile)
def test_any_name_can_be_that_of_a_file(name, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / safe_filename(name)
    path.write_bytes(b"")
    assert path.name in os.listdir(path.parent)
    path.unlink()


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,200}[A-Za-z0-9])?", fullmatch=True))
def test_of_a_plain_name_both_werkzeug_and_this_keep_everything(name):
    if is_reserved(name):
        assert safe_filename(name) == f"_{name}"
    else:
        assert safe_filename(name) == secure_filename(name) == name


@given(st.text(st.characters(max_codepoint=127), max_size=250))
def test_of_an_ascii_name_werkzeug_keeps_nothing_that_this_does_not(name):
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = secure_filename(last)
    letters = [character for character in safe_filename(name) if character.isalnum()]
    drive = last[1:2] == ":" and last[:1].isalpha()
    if kept and not drive:
        assert [character for character in kept if character.isalnum()] == letters
