"""Properties to AWS parameters and back; property paths; files; values on the wire."""

from __future__ import annotations

import io
import zipfile

import pytest

from sluice.sandbox.engine import assets, paths, translate, wire
from sluice.sandbox.engine.translate import Faults, Rules, input_shape, parameters, properties_of

NO_RULES = Rules()


def sent(service: str, operation: str, rules: Rules = NO_RULES, **properties):
    return parameters(input_shape(service, operation), properties, rules)


def test_names_are_found_whatever_capitals_aws_uses():
    variant = {"variantName": "blue", "volumeSizeInGb": 20, "enableSsmAccess": True, "initialVariantWeight": 1}

    assert sent("sagemaker", "CreateEndpointConfig", productionVariants=[variant]) == {
        "ProductionVariants": [
            {"VariantName": "blue", "VolumeSizeInGB": 20, "EnableSSMAccess": True, "InitialVariantWeight": 1.0}
        ]
    }


def test_plurals_and_singulars_meet():
    container = {"modelDataSource": {"s3DataSources": [{"s3Uri": "s3://b/k"}]}}

    assert sent("sagemaker", "CreateModel", primaryContainer=container) == {
        "PrimaryContainer": {"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://b/k"}}}
    }
    assert sent("lambda", "CreateFunction", fileSystemConfig={"arn": "a"}) == {"FileSystemConfigs": [{"Arn": "a"}]}


def test_a_map_becomes_pairs_where_aws_wants_pairs_and_stays_a_map_where_not():
    assert sent("sagemaker", "CreateModel", tags={"b": "2", "a": "1"})["Tags"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": "2"},
    ]
    assert sent("cloudwatch", "PutMetricAlarm", dimensions={"EndpointName": "e"}) == {
        "Dimensions": [{"Name": "EndpointName", "Value": "e"}]
    }
    assert sent("lambda", "CreateFunction", tags={"a": "1"}) == {"Tags": {"a": "1"}}


def test_scalars_take_the_type_aws_wants():
    assert sent("sqs", "CreateQueue", attributes={"DelaySeconds": 5, "FifoQueue": True, "Policy": {"a": 1}}) == {
        "Attributes": {"DelaySeconds": "5", "FifoQueue": "true", "Policy": '{"a": 1}'}
    }
    assert sent("lambda", "CreateFunction", timeout=3.0, publish="true") == {"Timeout": 3, "Publish": True}


def test_renames_and_what_is_accepted_go_by_path():
    rules = Rules({"name": "ModelName"}, {"primaryContainer.mode": "not kept"})

    assert sent("sagemaker", "CreateModel", rules, name="m", primaryContainer={"mode": "x", "image": "i"}) == {
        "ModelName": "m",
        "PrimaryContainer": {"Image": "i"},
    }


def test_every_property_without_a_place_is_named_and_so_is_every_wrong_value():
    with pytest.raises(Faults) as raised:
        sent("lambda", "CreateFunction", colour="red", timeout="soon", environment={"vars": {}}, deadLetterConfig="x")

    text = "\n".join(raised.value.sentences)
    assert len(raised.value.sentences) == 4
    assert "property 'colour' is not known to the sandbox (CreateFunctionRequest takes FunctionName," in text
    assert "property 'timeout': expected integer, got 'soon'" in text
    assert "property 'environment.vars' is not known" in text
    assert "property 'deadLetterConfig': expected an object, got 'x'" in text


def test_unknown_values_pass_untouched():
    assert sent("lambda", "CreateFunction", timeout=wire.UNKNOWN) == {"Timeout": wire.UNKNOWN}


def test_the_properties_an_operation_carries_are_known_without_sending():
    shape = input_shape("lambda", "UpdateFunctionConfiguration")

    assert translate.carried(shape, {"timeout": 1, "architectures": []}, NO_RULES) == {"timeout"}


def test_an_answer_reads_back_under_property_names():
    answer = {"EndpointName": "e", "KMSKeyArn": "k", "ProductionVariants": [{"VolumeSizeInGB": 1}]}

    assert properties_of(answer, Rules({"name": "EndpointName"})) == {
        "name": "e",
        "kmsKeyArn": "k",
        "productionVariants": [{"volumeSizeInGB": 1}],
    }


# paths


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.b", ("a", "b")),
        ("a[0].b", ("a", 0, "b")),
        ('tags["x.y"]', ("tags", "x.y")),
        ("*", ("*",)),
        ("a[*].b", ("a", "*", "b")),
    ],
)
def test_property_paths_are_read(text, path):
    assert paths.parse(text) == path


def test_a_path_that_cannot_be_read_says_where():
    with pytest.raises(ValueError, match=r"cannot read it from '\[\]"):
        paths.parse("a[]")


def test_differences_are_the_deepest_paths():
    old = {"a": 1, "b": {"c": [1, 2]}, "gone": 1}
    new = {"a": 1, "b": {"c": [1, 3]}, "come": 1}

    assert paths.differences(old, new) == [("b", "c", 1), ("come",), ("gone",)]


def test_equal_documents_numbers_and_sets_do_not_differ():
    old = {"policy": '{"a": 1, "b": 2}', "n": "5", "actions": ["x", "y"], "on": True}
    new = {"policy": '{"b":2,"a":1}', "n": 5, "actions": ["y", "x"], "on": "true"}

    assert paths.differences(old, new, unordered=["actions"]) == []
    assert paths.differences(old, new) == [("actions", 0), ("actions", 1)]


def test_ignored_paths_come_back_vanish_or_stay_as_in_the_old():
    old = {"a": [{"w": 1, "n": 1}], "tags": {"kept": "1"}, "old": 1}
    new = {"a": [{"w": 2, "n": 2}], "tags": {"fresh": "1"}, "new": 1}

    assert paths.keep_old(old, new, ["a[*].w"])["a"] == [{"w": 1, "n": 2}]
    assert paths.keep_old(old, new, ["tags"])["tags"] == {"kept": "1"}
    assert paths.keep_old(old, new, ["old", "new"]) == {"a": new["a"], "tags": new["tags"], "old": 1}
    assert paths.keep_old(old, new, ["*"]) == old
    assert new["a"] == [{"w": 2, "n": 2}], "the given values are not touched"


def test_a_pattern_touches_what_is_above_and_below_it():
    assert paths.touches(("a", 0, "b", "c"), ["a.b"])
    assert paths.touches(("a",), ["a.b"])
    assert paths.touches(("z",), ["*"])
    assert not paths.touches(("a", "c"), ["a.b"])


# files


def archive(**members) -> dict:
    files = {name: {wire.SIGNATURE: wire.ASSET, "text": text} for name, text in members.items()}
    return {wire.SIGNATURE: wire.ARCHIVE, "assets": files}


def test_a_zip_is_the_same_bytes_for_the_same_content():
    first, second = assets.zipped(archive(b="2", a="1")), assets.zipped(archive(a="1", b="2"))

    assert first == second
    assert zipfile.ZipFile(io.BytesIO(first)).namelist() == ["a", "b"]


def test_a_folder_a_zip_and_nested_archives_hold_their_files(tmp_path):
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / "src" / "deep" / "x.py").write_text("x")
    folder = {wire.SIGNATURE: wire.ARCHIVE, "path": str(tmp_path / "src")}
    ready = tmp_path / "ready.zip"
    ready.write_bytes(assets.zipped(folder))
    packed = {wire.SIGNATURE: wire.ARCHIVE, "path": str(ready)}
    nested = {wire.SIGNATURE: wire.ARCHIVE, "assets": {"lib": folder, "vendor": packed}}

    assert assets.content(packed) == ready.read_bytes()
    assert zipfile.ZipFile(io.BytesIO(assets.zipped(nested))).namelist() == ["lib/deep/x.py", "vendor/deep/x.py"]


def test_files_are_compared_by_what_is_in_them():
    old, new = assets.with_hashes({"code": archive(a="1")}), assets.with_hashes({"code": archive(a="2")})

    assert paths.differences(old, assets.with_hashes({"code": archive(a="1")})) == []
    assert paths.differences(old, new) == [("code",)]


def test_files_that_cannot_be_had_are_named():
    with pytest.raises(assets.UnusableFile, match="asset 'nowhere.py': there is no such file"):
        assets.content({wire.SIGNATURE: wire.ASSET, "path": "nowhere.py"})
    with pytest.raises(assets.UnusableFile, match="the sandbox fetches nothing"):
        assets.content({wire.SIGNATURE: wire.ASSET, "uri": "https://example.com/x"})


# on the wire


def test_values_go_through_the_wire_unchanged():
    values = {"n": 1, "f": 1.5, "b": True, "s": "x", "l": [1, {"a": "b"}], "secret": wire.conceal({"a": 1})}

    assert wire.decode(wire.encode(values)) == values


def test_a_resource_given_as_an_input_is_its_id():
    resource = {wire.SIGNATURE: wire.REFERENCE, "urn": "urn:x"}

    assert wire.decode(wire.encode({"a": {**resource, "id": "i"}, "b": resource, "c": {**resource, "id": ""}})) == {
        "a": "i",
        "b": "urn:x",
        "c": wire.UNKNOWN,
    }


def test_secrets_are_seen_at_any_depth_and_taken_off():
    value = {"a": [wire.conceal(wire.conceal("x"))]}

    assert wire.holds_secret(value)
    assert wire.reveal(value) == {"a": ["x"]}
    assert wire.marked(value) == {"a": [wire.Secret("x")]}
