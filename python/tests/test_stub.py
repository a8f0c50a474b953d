"""The stub says what the module has, and every name explains itself."""

import ast
import importlib.resources
import inspect

import aar


def stub():
    files = importlib.resources.files(aar)
    assert (files / "py.typed").is_file()
    return ast.parse((files / "__init__.pyi").read_text())


def typed_only(node):
    return any(getattr(decorator, "id", "") == "type_check_only" for decorator in node.decorator_list)


def test_names_and_arguments_are_those_of_the_stub():
    classes = [node for node in stub().body if isinstance(node, ast.ClassDef) and not typed_only(node)]
    functions = [node.name for node in stub().body if isinstance(node, ast.FunctionDef)]
    public = {name for name in vars(aar) if not name.startswith("_") and name != "aar"}
    assert public == {node.name for node in classes} | set(functions)
    for node in classes:
        members = {member.name: member for member in node.body if isinstance(member, ast.FunctionDef)}
        kind = getattr(aar, node.name)
        if issubclass(kind, Exception):
            continue
        own = {name for name in vars(kind) if not name.startswith("_")}
        assert own == {name for name in members if not name.startswith("_")}, node.name
        assert kind.__doc__, node.name
        for name in own:
            member = getattr(kind, name)
            assert member.__doc__, f"{node.name}.{name}"
            if callable(member):
                arguments = members[name].args
                expect = [argument.arg for argument in arguments.args + arguments.kwonlyargs]
                assert list(inspect.signature(member).parameters) == expect, f"{node.name}.{name}"
