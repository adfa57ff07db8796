"""Locales and translations, beside Pyramid."""

import struct

import pytest

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package
from tests.helpers.rows import rows

OURS, THEIRS = Package(DIALECT), Package(PYRAMID)
PLURALS = (
    "Project-Id-Version: shop 1\nContent-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n > 1);\n"
)


def write_mo(path, texts):
    texts = {"": PLURALS, **texts}
    pairs = sorted((key.encode(), value.encode()) for key, value in texts.items())
    start = 28 + 16 * len(pairs)
    tables, data = [[], []], b""
    for side in (0, 1):
        for pair in pairs:
            tables[side] += [len(pair[side]), start + len(data)]
            data += pair[side] + b"\0"
    head = [0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 28 + 16 * len(pairs)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(f"<{7 + 4 * len(pairs)}I", *head, *tables[0], *tables[1]) + data)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    first, second = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    write_mo(first / "de/LC_MESSAGES/shop.mo", {"Hello": "Hallo", "Bye": "Tschüs", "Item\0Items": "Ware\0Waren"})
    write_mo(first / "de_AT/LC_MESSAGES/shop.mo", {"Hello": "Servus"})
    write_mo(first / "de/LC_MESSAGES/messages.mo", {"Hello": "Grüß Gott", "menu\4Hello": "Im Menü"})
    write_mo(second / "de/LC_MESSAGES/shop.mo", {"Bye": "Ade", "Hi ${name}": "Tach ${name}"})
    (first / "de/LC_MESSAGES/notes.txt").write_text("no translations")
    (first / "fr").mkdir()
    (first / "it/LC_MESSAGES/folder.mo").mkdir(parents=True)
    return [str(first), str(second)]


@rows("locale", ["de", "de_AT", "de_CH", "fr", "it", "en", "nl_BE"])
def test_texts_are_translated_as_by_pyramid(folders, locale):
    def translated(p):
        shop = p.i18n.TranslationStringFactory("shop")
        localizer = p.i18n.make_localizer(locale, folders)
        return [
            localizer.translate("Hello"), localizer.translate(shop("Hello")), localizer.translate("Hello", "shop"),
            localizer.translate(shop("Bye")), localizer.translate(shop("Hi ${name}", mapping={"name": "you"})),
            localizer.translate(shop("other", default="Other")), localizer.translate("Hello", "unknown"),
            localizer.translate(p.i18n.TranslationString("Hello", context="menu")),
            *(localizer.pluralize("Item", "Items", n, domain="shop") for n in (0, 1, 2)),
            *(localizer.pluralize("a ${n}", "b ${n}", n, mapping={"n": n}) for n in (0, 1, 2)),
            localizer.locale_name, localizer.translations.dgettext("shop", "Bye"),
            localizer.translations.dungettext("shop", "Item", "Items", 2),
        ]  # fmt: skip

    assert translated(OURS) == translated(THEIRS)


@rows("name", ["..", ".", "", "/", "de/../de", "a\0b"])
def test_locales_of_clients_lead_to_no_other_directories(folders, name):
    assert OURS.i18n.make_localizer(name, folders).translate("Hello", "shop") == "Hello"


def negotiate(p, how, path="/", headers=None):
    with p.configurator(settings={"pyramid.default_locale_name": "it"}) as config:
        if how == "negotiator":
            config.set_locale_negotiator(lambda request: request.GET.get("lang"))
    request = p.request.Request.blank(path, headers=headers or {})
    request.registry = config.registry
    if how == "attribute":
        request._LOCALE_ = "nl"
    found = p.i18n.negotiate_locale_name(request)
    assert found == request.locale_name == p.i18n.get_locale_name(request)
    return found, p.i18n.default_locale_negotiator(request), request.localizer.locale_name


@rows("how", ["default", "negotiator", "attribute"])
@rows("path, headers", [("/", None), ("/?_LOCALE_=de&lang=fr", None), ("/", {"Cookie": "_LOCALE_=es"})])
def test_the_locale_is_negotiated_as_in_pyramid(how, path, headers):
    assert negotiate(OURS, how, path, headers) == negotiate(THEIRS, how, path, headers)


def test_a_request_has_the_localizer_of_its_locale(folders):
    with OURS.configurator() as config:
        config.add_translation_dirs(*folders)

    def request_for(locale):
        request = OURS.request.Request.blank(f"/?_LOCALE_={locale}")
        request.registry = config.registry
        return request

    request = request_for("de")
    localizer = OURS.i18n.get_localizer(request)
    assert localizer.translate("Bye", "shop") in {"Ade", "Tschüs"}
    assert request.localizer is localizer is request_for("de").localizer
    for number in range(200):
        assert request_for(f"x{number}").localizer.locale_name == f"x{number}"
    assert len([*config.registry.getUtilitiesFor(OURS.interfaces.ILocalizer)]) == 100


def test_translations_are_loaded_by_domain(folders):
    def loaded(p):
        load = p.i18n.Translations.load
        made = load(folders[0], ["de"], "shop")
        other = load(folders[0], "de")
        merged = made.gettext("Hello"), made.add(load(folders[1], "de", "shop")).gettext("Bye")
        added = made.add(other, merge=False).dgettext("messages", "Hello"), repr(made), len(made.files)
        return merged, added, type(load(folders[0], ["xx"])).__name__, other.domain

    assert loaded(OURS) == loaded(THEIRS)
