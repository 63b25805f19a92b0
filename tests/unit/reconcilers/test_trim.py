"""What the stores keep of an object: its content, without the bulk, with field names shared."""

import json

from spidercoordinator.reconcilers.context import trim

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
