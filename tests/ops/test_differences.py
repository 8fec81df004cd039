"""A comparison names every object and field that differ, and nothing else; no content breaks out of the comment."""

from typing import Any

import pytest

from ops.differences.objects import Declared, changed_lines, compare, markdown


def deployment(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "web", "image": "web:1"}, {"name": "helper", "image": "helper:1"}]
    spec = {"replicas": 1, "template": {"spec": {"containers": containers}}, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def declared(what: str = "Deployment chat/web", content: dict[str, Any] | None = None, **rest: Any) -> Declared:
    return Declared(**{"what": what, "owner": "Pulumi", "content": content or deployment(), **rest})


def test_nothing_differs() -> None:
    found = compare([declared()], [declared()])
    assert found.empty
    assert "0 added, 0 removed, 0 changed, 1 the same" in markdown("t", found)


def test_each_object_is_named_with_its_owner_and_its_fields() -> None:
    found = compare(
        [declared(), declared("Service chat/old", {"spec": {}})],
        [declared(content=deployment(replicas=3)), declared("Service chat/new", {"spec": {}}, owner="Argo CD")],
    )
    text = markdown("t", found)
    assert "- removed: `Service chat/old` (Pulumi)" in text
    assert "- added: `Service chat/new` (Argo CD)" in text
    assert "changed: `Deployment chat/web` (Pulumi)\n```diff\n- spec.replicas: 1\n+ spec.replicas: 3\n```\n" in text


def test_members_with_names_are_compared_by_name() -> None:
    swapped = deployment()
    swapped["spec"]["template"]["spec"]["containers"].reverse()
    assert changed_lines(deployment(), swapped) == []
    swapped["spec"]["template"]["spec"]["containers"][0]["image"] = "helper:2"
    assert changed_lines(deployment(), swapped) == [
        "- spec.template.spec.containers[helper].image: helper:1",
        "+ spec.template.spec.containers[helper].image: helper:2",
    ]


def test_a_member_that_is_only_a_name_is_not_lost() -> None:
    assert changed_lines({"accounts": [{"name": "a"}]}, {"accounts": [{"name": "a"}, {"name": "b"}]}) == [
        "+ accounts[b]: {}"
    ]


@pytest.mark.parametrize(
    ("old", "new"), [({}, None), ("", None), (0, False), ("1", 1), ([], {}), (None, "null"), ("{}", {})]
)
def test_small_differences_are_seen_and_told_apart(old: Any, new: Any) -> None:
    gone, come = changed_lines({"a": old}, {"a": new})
    assert gone.removeprefix("- ") != come.removeprefix("+ ")


def test_a_shorter_list_differs() -> None:
    assert changed_lines({"a": [1, 2]}, {"a": [1]}) == ["- a[1]: 2"]


def test_of_a_long_text_only_the_changed_lines_are_shown() -> None:
    before = {"data": {"app.conf": "one\ntwo\nthree\n"}}
    after = {"data": {"app.conf": "one\n2\nthree\n"}}
    assert changed_lines(before, after) == ['  data["app.conf"]:', "-   two", "+   2"]


def test_a_name_with_a_hash_of_its_content_is_the_same_object() -> None:
    before = declared("ConfigMap chat/api-0123456789", {"data": {"A": "1"}})
    after = declared("ConfigMap chat/api-abcdef0123", {"data": {"A": "2"}})
    text = markdown("t", compare([before], [after]))
    assert "changed: `ConfigMap chat/api-abcdef0123` (Pulumi), was `ConfigMap chat/api-0123456789`" in text
    assert "0 added, 0 removed, 1 changed" in text


def test_a_change_of_owner_is_a_change() -> None:
    assert "- owner: Pulumi\n+ owner: Argo CD" in markdown("t", compare([declared()], [declared(owner="Argo CD")]))


def test_what_needs_a_new_object_is_said() -> None:
    def claim(name: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"storageClassName": name}}

    what = "PersistentVolumeClaim data/redis-data"
    found = compare([declared(what, claim("longhorn"))], [declared(what, claim("local-path"))])
    assert "**made anew** because of `spec.storageClassName`" in markdown("t", found)


def test_a_volume_that_is_declared_no_longer_is_not_passed_over() -> None:
    gone = declared("PersistentVolumeClaim data/redis-data", {"spec": {}}, retained=True)
    assert "its data stay in the cluster, and nothing uses them" in markdown("t", compare([gone], []))


def test_no_content_ends_the_block_it_stands_in() -> None:
    before, after = {"data": {"A": "a"}}, {"data": {"A": "```\n@everyone ````\n"}}
    text = markdown("t", compare([declared(content=before)], [declared(content=after)]))
    (fence,) = {line.removesuffix("diff") for line in text.splitlines() if line.startswith("`")}
    assert fence == "`````"


def test_many_lines_are_folded_and_long_values_cut() -> None:
    before, after = {"data": {}}, {"data": {str(number): "x" * 500 for number in range(30)}}
    text = markdown("t", compare([declared(content=before)], [declared(content=after)]))
    assert "<summary>31 lines</summary>" in text
    assert "x... (500 characters)" in text
