"""Clients that generators make of a document: the generators, and how a client is made and run."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

TOOLS = Path(os.environ.get("API_CLIENTS", Path(__file__).parents[2] / "var" / "api-clients"))
"""The folder of the generators, which `scripts/weekly api-clients` fetches: a Python, and packages of npm."""
NODE = TOOLS / "node_modules" / ".bin"
PYTHON = TOOLS / "venv" / "bin"
_OPTIONS = "--strict --module nodenext --target es2022 --skipLibCheck --types node --outDir js"
TSC = (NODE / "tsc", *_OPTIONS.split())


def are_there() -> bool:
    """Return True if the generators have been fetched."""
    return (TOOLS / "node_modules").is_dir() and PYTHON.is_dir()


def run(folder: Path, *command: object, **environ: str) -> tuple[int, str]:
    """Run a program in a folder, and return its exit code with what it printed."""
    env = {**os.environ, **environ}
    made = subprocess.run(
        [*map(str, command)], cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    return made.returncode, made.stdout + made.stderr


def run_python_generator(folder: Path) -> tuple[int, str]:
    """Run the generator of packages for httpx on the document in a folder, with the configuration there."""
    path = f"{PYTHON}{os.pathsep}{os.environ['PATH']}"
    options = ("--config", "config.yml") if (folder / "config.yml").exists() else ()
    return run(folder, PYTHON / "openapi-python-client", "generate", "--path", "openapi.json", *options, PATH=path)


def make_python_client(folder: Path) -> str:
    """Make a package of httpx from the document in a folder, and return what the generator said."""
    code, said = run_python_generator(folder)
    assert code == 0, said
    return said


def run_python(folder: Path, *command: object) -> tuple[int, str]:
    """Run a program of the environment in a folder, where it finds the packages that were made there."""
    made = os.pathsep.join(map(str, folder.glob("*-client")))
    return run(folder, PYTHON / str(command[0]), *command[1:], PYTHONPATH=made, MYPYPATH=made)


def make_typescript_types(folder: Path) -> None:
    """Make types from the document in a folder, where the packages of npm are found."""
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    code, said = run(folder, NODE / "openapi-typescript", "openapi.json", "--output", "api.d.ts")
    assert code == 0, said


def has_java() -> bool:
    """Return True if the generator of clients in Java has been fetched, and a JDK is installed."""
    return which("javac") is not None and next(_jars(), None) is not None


def _jars() -> Iterator[Path]:
    return TOOLS.glob("venv/lib/python3*/site-packages/openapi_generator_cli/openapi-generator.jar")


def make_java_client(folder: Path) -> tuple[int, str]:
    """Make a client for the HTTP client of Java from the document in a folder, and compile it with the programs there.

    It needs Jackson and a part of Apache's HTTP client, which are in the archive of the generator, except for an
    annotation and for the builder of multipart bodies.
    """
    options = "invokerPackage=client,apiPackage=client.api,modelPackage=client.model,openApiNullable=false"
    code, said = _generate(folder, "java", options, "--library", "native")
    if code != 0:
        return code, said
    for name, text in _JAVA.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    sources = [*folder.glob("java/src/main/java/**/*.java"), *[folder / name for name in _JAVA]]
    return run(folder, "javac", "-nowarn", "-cp", next(_jars()), "-d", "classes", *sources, *folder.glob("*.java"))


def _generate(folder: Path, language: str, options: str, *more: str) -> tuple[int, str]:
    command = ("java", "-jar", next(_jars()), "generate", "-i", "openapi.json", "-g", language, "-o", language)
    return run(folder, *command, *more, "--additional-properties", options)


def make_go_client(folder: Path, package: str) -> tuple[int, str]:
    """Make a client in Go from the document in a folder, which needs no other module."""
    code, said = _generate(folder, "go", f"packageName={package},withGoMod=false")
    if code == 0:
        (folder / "go" / "go.mod").write_text(f"module {package}\n\ngo 1.23\n")
    return code, said


def run_go(folder: Path, program: str, *arguments: str) -> tuple[int, str]:
    """Run a program in Go that uses the client in a folder."""
    (folder / "go" / "calls").mkdir()
    (folder / "go" / "calls" / "main.go").write_text(program)
    return run(folder / "go", PYTHON / "go", "run", "./calls", *arguments, GOPROXY="off", GOFLAGS="")


def run_java(folder: Path, *command: object) -> tuple[int, str]:
    """Run a program that was compiled in a folder."""
    return run(folder, "java", "-cp", os.pathsep.join((str(next(_jars())), "classes")), *command)


_JAVA = {
    "stubs/javax/annotation/Generated.java": """
package javax.annotation;

public @interface Generated { String value(); String comments() default ""; String date() default ""; }
""",
    "stubs/org/apache/http/entity/mime/MultipartEntityBuilder.java": """
package org.apache.http.entity.mime;

import java.io.*;
import java.nio.file.Files;
import org.apache.http.HttpEntity;
import org.apache.http.entity.ByteArrayEntity;

public class MultipartEntityBuilder {
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    public static MultipartEntityBuilder create() { return new MultipartEntityBuilder(); }
    public MultipartEntityBuilder addBinaryBody(String name, File file) {
        try {
            return add(name + "\\"; filename=\\"" + file.getName(), Files.readAllBytes(file.toPath()));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
    public MultipartEntityBuilder addTextBody(String name, String text) { return add(name, text.getBytes()); }
    private MultipartEntityBuilder add(String name, byte[] content) {
        String head = "--parts\\r\\nContent-Disposition: form-data; name=\\"" + name + "\\"\\r\\n\\r\\n";
        body.writeBytes(head.getBytes());
        body.writeBytes(content);
        body.writeBytes("\\r\\n".getBytes());
        return this;
    }
    public HttpEntity build() {
        body.writeBytes("--parts--\\r\\n".getBytes());
        ByteArrayEntity entity = new ByteArrayEntity(body.toByteArray());
        entity.setContentType("multipart/form-data; boundary=parts");
        return entity;
    }
}
""",
}
"""The classes that a client needs, and that are not in the archive of the generator."""
