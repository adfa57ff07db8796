import antiphon.testing


def test_the_public_names_are_these():
    assert {
        "AsyncClient", "AsyncStreamedResponse", "BodyTooLarge", "BrokenResponse", "Client", "ContractError",
        "CookieJar", "Interface", "LifespanError", "Response", "StreamedResponse", "TooManyRedirects",
    } == set(antiphon.testing.__all__)  # fmt: skip
    assert all(hasattr(antiphon.testing, name) for name in antiphon.testing.__all__)
