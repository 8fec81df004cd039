"""What goes wrong on the way of a commit: each fault says so, and nothing is lost. Follows test_chain.py."""

import time

import pytest

from tests.live.common.kube import apply, until
from tests.live.wsl.delivery import push, push_and_build, tag_in_cluster, taken_over
from tests.live.wsl.faults import argocd_away, registry_on_a_small_disk
from tests.live.wsl.jenkins import git_login, tag_of
from tests.live.wsl.platform import Platform

pytestmark = pytest.mark.live

HUNGRY = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN python3 -c "b'x' * 2**30"
"""
"""A step that takes 1 GiB."""


def test_a_push_while_argo_cd_is_away_is_caught_up(platform: Platform) -> None:
    before = tag_in_cluster()
    platform.service.write_version("third")
    visitors = platform.visitors
    with platform.updater.looking(), visitors.coming():
        with argocd_away():
            commit = push(platform, "Mend the mistake", "commit while Argo CD was away")
            until("Git names the tag", lambda: platform.updater.named() == tag_of(commit), 60)
            platform.stages.mark("tag in Git", commit)
            time.sleep(20)  # its server has been told
            assert tag_in_cluster() == before
        platform.stages.mark("Argo CD is back", commit)
        until("the canary has taken over", lambda: taken_over(tag_of(commit)), 600)
        platform.stages.mark("rolled out", commit)
        time.sleep(15)  # the last old pods end
    platform.stages.write()
    assert {visitors.fingerprint() for _ in range(8)} == {"third"}
    assert not visitors.failures, visitors.failures


def test_a_build_that_runs_out_of_memory_says_so_and_the_next_one_works(platform: Platform) -> None:
    commit = platform.service.commit_aside("hungry", "hungry/Dockerfile", HUNGRY)
    said = platform.jenkins.build(commit, context="hungry", target=None, memory_mib=512).splitlines()[0]
    assert "memory" in said, said
    assert "512 MiB" in said, said
    assert "ci.builder.memoryMib" in said, said
    assert tag_of(commit) not in platform.updater.tags()
    said = platform.jenkins.build(platform.service.head())
    assert said.startswith("Pushed"), said


def test_a_registry_whose_name_no_pod_knows_is_named(platform: Platform) -> None:
    said = platform.jenkins.build(platform.service.head(), host_aliases={}).splitlines()[0]
    assert "registry.local, does not resolve" in said, said
    assert "make doctor" in said, said


def test_a_git_token_that_is_wrong_is_named(platform: Platform) -> None:
    apply([git_login("git-login-of-yesterday", platform.gitea.tree_account, "expired")])
    with platform.gitea.private(platform.gitea.source):
        said = platform.jenkins.build(platform.service.head(), login="git-login-of-yesterday").splitlines()[0]
    assert "The Git server refused the login: renew the token" in said, said


def test_a_full_registry_is_named_and_takes_the_same_commit_once_there_is_room(platform: Platform) -> None:
    before, visitors = tag_in_cluster(), platform.visitors
    platform.service.write_version("fourth")
    with platform.updater.looking(), visitors.coming(), registry_on_a_small_disk() as disk:
        disk.fill()
        commit = push_and_build(platform, "Something more to store", "commit that found the registry full")
        said = platform.jenkins.builds[commit].splitlines()[0]
        assert "The registry registry.local:5000 could not store the image" in said, platform.jenkins.builds[commit]
        assert "docs/operations.md" in said
        assert tag_of(commit) not in platform.updater.tags()
        assert tag_in_cluster() == before
        platform.stages.mark("refused by the registry", commit)
        disk.make_room()
        said = platform.jenkins.build(commit)
        assert said.startswith("Pushed"), said
        platform.stages.mark("image", commit)
        until("the canary has taken over", lambda: taken_over(tag_of(commit)), 600)
        platform.stages.mark("rolled out", commit)
    platform.stages.write()
    assert {visitors.fingerprint() for _ in range(8)} == {"fourth"}
    assert not visitors.failures, visitors.failures
    assert tag_of(commit) in platform.updater.tags(), "what was pushed meanwhile is lost"
