"""The clients that generators make of a document: each operation is there, is typed, and is answered.

`scripts/weekly api-clients` fetches the generators; without them the tests are skipped.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from antiphon.features.openapi.document import Info, make_document
from tests.contract.process import ServerProcess
from tests.features.openapi import kinds
from tests.helpers.api_clients import (
    TSC,
    are_there,
    has_java,
    make_java_client,
    make_python_client,
    make_typescript_types,
    run,
    run_java,
    run_python,
)
from tests.helpers.processes import RUN

pytestmark = [pytest.mark.once, pytest.mark.processes]

PYTHON_CALLS = """
import sys
from io import BytesIO
from uuid import uuid4

from kinds_client import Client
from kinds_client.api.kinds import (
    kinds_add, kinds_both, kinds_change, kinds_count, kinds_go, kinds_index, kinds_lines, kinds_mixed, kinds_one,
    kinds_pet, kinds_pets, kinds_picture, kinds_remove, kinds_show, kinds_shown,
)
from kinds_client.models import *
from kinds_client.types import File

client = Client(sys.argv[1])
kept = kinds_add.sync(client=client, body=LampInput("Desk", shade=Shade.COLD, size=SizeInput(width=3)))
assert isinstance(kept, Kept)
lamp: Lamp = kept.others["twin"]
size: Size = lamp.size
assert (lamp.watts, size.width, size.height, lamp.price, lamp.note) == (4, 3, 1, "1", None)
assert isinstance(kinds_add.sync(client=client, body=LampInput("Desk", price="x")), Problem)
assert kinds_show.sync(kept.id, client=client) == kept
assert isinstance(kinds_show.sync(uuid4(), client=client), Problem)
assert isinstance(kinds_change.sync(kept.id, client=client, body=Changes(name="Door")), Kept)
sold = kinds_remove.sync(kept.id, client=client)
assert sold is not None and sold.detail == "It is sold already."
found = kinds_index.sync(client=client, tag=["a", "b"], shade=Shade.WARM, most=7)
assert isinstance(found, Found) and found.total == 7
def file() -> File:
    return File(BytesIO(b"abc"), "a.png", "image/png")
picture = kinds_picture.sync(client=client, body=KindsPicturePicture(file(), [file(), file()], caption="A"))
assert isinstance(picture, KindsPictureResponse201) and (picture.size, picture.others) == (3, 2)
assert kinds_shown.sync_detailed("a/b.png", client=client).status_code == 200
dog = DogInput(DogInputType.DOG, CatInput(CatInputType.CAT))
pet = kinds_pet.sync(client=client, body=dog)
assert isinstance(pet, Dog) and isinstance(pet.friend, Cat) and pet.friend.lives == 9
pets = kinds_pets.sync(client=client, body=[dog, CatInput(CatInputType.CAT, lives=1)])
assert isinstance(pets, list) and isinstance(pets[1], Cat)
sent = kinds_count.sync(client=client, body=file())
assert isinstance(sent, KindsCountResponse200) and sent.size == 3
assert isinstance(kinds_both.sync(client=client), str)
assert kinds_lines.sync(client=client) == "one\\n"
assert kinds_go.sync_detailed(KindsGoWhere.HERE, client=client).status_code == 303
assert kinds_one.sync(3, "a", client=client) == [3]
mixed = kinds_mixed.sync(client=client, x_user="ada", body=KindsMixedBody.from_dict({"a": 1}))
assert isinstance(mixed, KindsMixedResponse200) and (mixed["a"], mixed["user"]) == (1, "ada")
"""

TYPESCRIPT_HEAD = """
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";
type Types = components["schemas"];

const headers = { authorization: "Bearer s3cret" };
const client = createClient<paths>({ baseUrl: process.argv[2], headers, redirect: "manual" });
const form = { headers: { "content-type": "application/x-www-form-urlencoded" } };
const check = (isRight: boolean, told: string) => { if (!isRight) throw new Error(told); };
function got<T>(answer: { data?: T; error?: unknown; response: Response }): T {
    if (answer.data === undefined) throw new Error(`${answer.response.url}: ${JSON.stringify(answer.error)}`);
    return answer.data;
}
const parts = (body: object) => {
    const made = new FormData();
    for (const [name, each] of Object.entries(body)) {
        for (const one of Array.isArray(each) ? each : [each]) {
            made.append(name, name === "caption" ? one : new Blob([one]));
        }
    }
    return made;
};
"""
TYPESCRIPT_CALLS = """
const kept: Types["Kept"] = got(await client.POST("/kinds/lamps", { body: { name: "Desk", size: { width: 3 } } }));
const height: number = kept.others.twin.size.height;
check(height === 1 && kept.lamp.watts === 4 && kept.lamp.kind === "led" && kept.lamp.note === null, "defaults");
const wrong = await client.POST("/kinds/lamps", { body: { name: "Desk", price: "x" } });
check(wrong.error?.errors?.[0].pointer === "/price", "problem");
const path = { id: kept.id };
got(await client.GET("/kinds/lamps/{id}", { params: { path } }));
got(await client.PATCH("/kinds/lamps/{id}", { params: { path }, body: { name: "Door" } }));
const sold = await client.DELETE("/kinds/lamps/{id}", { params: { path } });
check(sold.error?.detail === "It is sold already.", "sold");
const query = { tag: ["a", "b"], shade: "warm" as const, most: 7 };
check(got(await client.GET("/kinds/lamps", { params: { query } })).total === 7, "query");
const body = { file: "abc", others: ["a", "b"], caption: "A" };
check(got(await client.POST("/kinds/pictures", { body, bodySerializer: parts })).others === 2, "files");
got(await client.GET("/kinds/pictures/{name}", { params: { path: { name: "a/b.png" } }, parseAs: "text" }));
const pet = got(await client.POST("/kinds/pets", { body: { type: "Dog", friend: { type: "Cat" } } }));
check(pet.type === "Dog" && pet.friend?.lives === 9, "union");
const pets: (Types["Cat"] | Types["Dog"])[] = got(await client.POST("/kinds/all-pets", { body: [{ type: "Cat" }] }));
got(await client.POST("/kinds/bytes", { body: "abc", bodySerializer: (sent) => sent }));
got(await client.GET("/kinds/both", { parseAs: "text" }));
got(await client.GET("/kinds/lines", { parseAs: "text" }));
check((await client.GET("/kinds/go/{where}", { params: { path: { where: "here" } } })).response.status === 303, "go");
const numbers: number[] = got(
    await client.GET("/kinds/count/{number}.{kind}", { params: { path: { number: 3, kind: "a" } } }),
);
const mixed = got(await client.POST("/kinds/mixed", { body: { a: 1 }, params: { header: { "x-user": "ada" } } }));
const user: string | number = mixed.user;
"""

JAVA_HEAD = """
import client.*;
import client.api.*;
import client.model.*;
import java.io.File;
import java.nio.file.*;
import java.util.*;

public class Calls {
    interface Call { Object make() throws Exception; }
    static void check(boolean isRight, String told) { if (!isRight) throw new AssertionError(told); }
    static int status(Call call) throws Exception {
        try { call.make(); return 200; } catch (ApiException error) { return error.getCode(); }
    }
    public static void main(String[] given) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(given[0]);
        client.setRequestInterceptor(request -> request.header("authorization", "Bearer s3cret"));
        File file = Files.writeString(Path.of("a.png"), "abc").toFile();
"""
JAVA_CALLS = """
        KindsApi api = new KindsApi(client);
        LampInput lamp = new LampInput().name("Desk").shade(Shade.COLD).size(new SizeInput().width(3));
        Kept kept = api.kindsAdd(lamp);
        Lamp twin = kept.getOthers().get("twin");
        check(twin.getWatts() == 4 && twin.getSize().getHeight() == 1 && twin.getNote() == null, "defaults");
        check(twin.getKind() == Lamp.KindEnum.LED && "1".equals(twin.getPrice()), "values");
        LampInput wrong = new LampInput().name("Desk").price(new LampInputPrice("x"));
        check(status(() -> api.kindsAdd(wrong)) == 422, "not valid");
        check(api.kindsShow(kept.getId()).equals(kept), "shown");
        check(status(() -> api.kindsShow(UUID.randomUUID())) == 404, "none");
        api.kindsChange(kept.getId(), new Changes().name("Door"), null, null, null, null);
        check(status(() -> { api.kindsRemove(kept.getId()); return 0; }) == 409, "sold");
        Found found = api.kindsIndex(null, Shade.WARM, List.of("a", "b"), 7);
        check(found.getTotal() == 7 && found.getId() == Found.IdEnum.NUMBER_1, "found");
        check(api.kindsPicture(file, List.of(file, file), "A").getOthers() == 2, "files");
        File shown = api.kindsShown("a.png", null, null, null, null, null, null);
        DogInput dog = new DogInput().type(DogInput.TypeEnum.DOG).friend(new CatInput().type(CatInput.TypeEnum.CAT));
        Dog pet = (Dog) api.kindsPet(new KindsPetsRequestInner(dog)).getActualInstance();
        check(pet.getFriend().getLives() == 9, "union");
        KindsPetsRequestInner cat = new KindsPetsRequestInner(new CatInput().type(CatInput.TypeEnum.CAT));
        check(api.kindsPets(List.of(cat)).get(0).getActualInstance() instanceof Cat, "unions");
        check(api.kindsCount(file).getSize() > 0, "bytes");  // the generator sends the path of the file as JSON
        status(() -> api.kindsBoth());  // the generator knows one media type for each status, and gets the other
        check(api.kindsLines().equals("one\\n"), "lines");
        check(status(() -> { api.kindsGo("here"); return 0; }) == 303, "go");
        check(api.kindsOne(3, "a").equals(List.of(3)), "one");
        Map<String, KindsMixedRequestValue> values = Map.of("a", new KindsMixedRequestValue(1));
        check(api.kindsMixed(values, "ada").get("user").getActualInstance().equals("ada"), "header");
"""


class Service(NamedTuple):
    """An application that is served, and a folder with its document."""

    folder: Path
    url: str
    operations: set[str]
    """The ids of the operations."""
    lines: set[str]
    """The methods and paths of the operations: ``GET /kinds/lamps``."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    if not are_there():
        pytest.skip("scripts/weekly api-clients fetches the generators")
    document = make_document(kinds.make_app(), Info("Kinds", prefix="/kinds"))
    assert document.unknown == []
    (tmp_path / "openapi.json").write_text(json.dumps(document.content))
    paths = document.content["paths"]
    ids = {each["operationId"] for path in paths.values() for each in path.values()}
    lines = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    with ServerProcess(RUN, f"{kinds.__name__}:make_app") as process:
        yield Service(tmp_path, f"http://127.0.0.1:{process.port}", ids, lines)


def test_a_client_in_python_has_each_operation(service: Service) -> None:
    make_python_client(service.folder)
    made = {each.stem for each in service.folder.glob("*-client/*/api/*/*.py")} - {"__init__"}
    assert made == {each.replace(".", "_") for each in service.operations}
    assert made == {name for name in made if f"{name}.sync" in PYTHON_CALLS}
    (service.folder / "calls.py").write_text(PYTHON_CALLS)
    assert run_python(service.folder, "mypy", "--strict", "--follow-imports", "silent", "calls.py")[1].startswith(
        "Success"
    )
    code, said = run_python(service.folder, "python", "calls.py", service.url)
    assert (code, said) == (0, ""), said


def test_a_client_in_typescript_has_each_operation(service: Service) -> None:
    make_typescript_types(service.folder)
    made = {f"{method} {path}" for method, path in re.findall(r'client\.([A-Z]+)\("(.+?)"', TYPESCRIPT_CALLS)}
    assert made == service.lines
    (service.folder / "calls.ts").write_text(TYPESCRIPT_HEAD + TYPESCRIPT_CALLS)
    code, said = run(service.folder, *TSC, "calls.ts")
    assert code == 0, said
    code, said = run(service.folder, "node", "js/calls.js", service.url)
    assert (code, said) == (0, ""), said


def test_a_client_in_java_has_each_operation(service: Service) -> None:
    if not has_java():
        pytest.skip("the generator of clients in Java needs a JDK")
    (service.folder / "Calls.java").write_text(f"{JAVA_HEAD}{JAVA_CALLS}    }}\n}}\n")
    code, said = make_java_client(service.folder)
    assert code == 0, said
    made = {re.sub("[._]", "", name).lower() for name in service.operations}
    assert made == {name.lower() for name in re.findall(r"api\.([a-zA-Z]+)\(", JAVA_CALLS)}
    code, said = run_java(service.folder, "Calls", service.url)
    assert (code, said) == (0, ""), said
