"""What the stores keep of an object: its content, without the bulk, with texts shared."""

import json
import sys

from spidercoordinator.reconcilers.trimming import trim

TEXT = json.dumps(
    {
        "metadata": {
            "name": "a",
            "managedFields": [{"manager": "x"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "b": "c"},
        },
        "spec": {"macvlan": {"master": ["eth0"], "vlanID": 0}, "chain": [{"deep": None}]},
    }
)


def test_content_stays_and_bulk_goes() -> None:
    thing = json.loads(TEXT)
    kept = trim(thing)
    assert kept["metadata"] == {"name": "a", "annotations": {"b": "c"}}
    assert kept["spec"] == thing["spec"]


def test_names_of_fields_are_the_same_strings_in_all_objects() -> None:
    one, other = (trim(json.loads(TEXT))["spec"] for _ in range(2))
    assert {id(key) for key in one["macvlan"]} == {id(key) for key in other["macvlan"]}
    assert id(next(iter(one["chain"][0]))) == id(next(iter(other["chain"][0])))


def test_texts_that_objects_have_in_common_are_the_same_strings() -> None:
    one, other = (trim(json.loads(TEXT)) for _ in range(2))
    assert one["metadata"]["name"] is other["metadata"]["name"]
    assert one["spec"]["macvlan"]["master"][0] is other["spec"]["macvlan"]["master"][0]


def test_texts_of_objects_that_are_gone_are_forgotten() -> None:
    before = sys.getallocatedblocks()
    for number in range(20_000):
        trim({"metadata": {"name": f"network-{number}"}, "spec": {"master": f"eth-{number}"}})
    assert sys.getallocatedblocks() - before < 5_000


def test_long_texts_are_not_kept() -> None:
    text = "x" * 100_000
    before = sys.getrefcount(text)
    trim({"metadata": {}, "spec": {"customCNI": text}})
    assert sys.getrefcount(text) == before
