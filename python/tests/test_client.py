"""A researcher works on a served study through the module alone: its own loss is trained and scored in the sandboxes."""

import json
import os
import subprocess
import time

import aar
import pytest
from conftest import PROGRAM, ROOT

SMALL = ["researchers=[]", "evaluation.seeds=1", 'evaluation.baselines=["plain"]', "close.finalists=1", "close.seeds=2"]
BUNDLE = ROOT / "python" / "examples" / "generalised-cross-entropy"


@pytest.fixture
def served(program, tmp_path):
    """A study that stays open, and a client of it; closed afterwards, when its result is looked at."""
    if json.loads(program("doctor", "--json"))["python_bench"] is None:
        pytest.skip("no bench for Python beside the program: cargo xtask wheel")
    out = tmp_path / "served"
    sets = [word for setting in SMALL for word in ("--set", setting)]
    study = subprocess.Popen([PROGRAM, "serve", "--quiet", "--json", "--out", out, *sets], cwd=ROOT, stdout=subprocess.PIPE)

    def client():
        joined = json.loads(program("token", "add", "visitor", "--evaluations", "2", "--out", out, "--json"))
        return aar.Client(joined["api"], joined["token"])

    def close():
        program("ctl", "close", "--out", out)
        return json.loads(study.communicate()[0])

    try:
        while not (out / "operator.json").exists():
            assert study.poll() is None, "the study ended before it was open"
            time.sleep(0.05)
        yield client(), close
    finally:
        study.kill()
        study.wait()


def submitted(client, **naming):
    """Submissions are refused until the baselines are done."""
    while True:
        try:
            return client.submit(BUNDLE, **naming)
        except aar.Refused as refused:
            assert refused.code == "conflict", refused
            time.sleep(0.2)


def test_a_loss_of_ones_own_is_scored_in_a_small_study(served, tmp_path):
    client, close = served
    assert client.study()["contract"] == "bundles" and client.me()["evaluations_left"] == 2
    with pytest.raises(ValueError, match="no recipe that says its name"):
        client.submit(BUNDLE)
    asked = submitted(client, name="generalised cross-entropy", family="loss-function")
    with pytest.raises(TimeoutError, match="of 1 seeds are done"):
        client.wait(asked["id"], timeout=0)
    done = client.wait(asked["id"])
    assert done["status"] == "done", done["reason"]
    assert done["feedback"]["step"] > 0
    again = client.submit(BUNDLE, name="generalised cross-entropy", family="loss-function")
    assert again["id"] == done["id"] and client.me()["evaluations_used"] == 1

    first = client.share("insight", "Small steps", "The teacher's errors are learnt late.")
    result = client.share("result", "Softer pull", "Generalised cross-entropy, q = 0.7.", evaluation=done["id"])
    client.comment(first["id"], "Seen again.")
    assert [finding["id"] for finding in client.findings()] == [result["id"], first["id"]]
    assert [finding["id"] for finding in client.findings("SOFTER generalised")] == [result["id"]]
    assert [finding["id"] for finding in client.findings(kind="insight")] == [first["id"]]
    assert client.finding(first["id"])["comments"][0]["body"] == "Seen again."
    assert [row["bundle"] for row in client.leaderboard() if row["by"] == "visitor"] == [done["bundle"]]

    names = client.snapshot(done["bundle"], tmp_path / "copy")
    assert sorted(names) == ["card.md", "train"]
    assert (tmp_path / "copy" / "train").read_bytes() == (BUNDLE / "train").read_bytes()
    assert os.access(tmp_path / "copy" / "train", os.X_OK)
    with pytest.raises(FileExistsError):
        client.snapshot(done["bundle"], tmp_path / "copy")

    row = next(row for row in close()["leaderboard"] if row["by"] == "visitor")
    assert row["rung"] == "replicated" and row["pgr"] is not None


def test_what_the_server_refuses_is_an_exception_with_its_code(served):
    client, _ = served
    for wrong, code in [(lambda: client.evaluation(99), "not-found"), (lambda: client.share("result", "t", "b"), "bad-request")]:
        with pytest.raises(aar.Refused) as caught:
            wrong()
        assert caught.value.code == code and str(caught.value)
    with pytest.raises(ValueError, match='kind is "rumour"; it may be "hypothesis"'):
        client.share("rumour", "t", "b")


def test_where_no_server_is_nothing_hangs(monkeypatch, tmp_path):
    monkeypatch.delenv("AAR_API", raising=False)
    with pytest.raises(aar.Error, match="AAR_API is not set"):
        aar.Client()
    with pytest.raises(aar.Error, match="neither unix:PATH nor http"):
        aar.Client("ftp://x", "t")
    with pytest.raises(aar.Unreachable, match="is a study running"):
        aar.Client(f"unix:{tmp_path}/api.sock", "t").me()
