"""The engine answers and trains as the program does."""

import json
import math

import aar
import numpy as np
import pytest


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_zero_shot_margins_are_those_of_lab_score(data, student, program, tmp_path):
    items = data.items[:200]
    said = program("lab", "score", "--data", data.folder, "--items", lines(tmp_path / "items.jsonl", items))
    rows = [json.loads(line) for line in said.splitlines()]
    assert [row["id"] for row in rows] == [item["id"] for item in items]
    np.testing.assert_array_equal(student.zero_shot(items), np.float32([row["margin"] for row in rows]))


def test_margins_follow_from_logits_over_both_orders(data, student):
    items = data.items[:100]
    straight = student.logits(student.batch(items))
    turned = student.logits(student.batch(items, swapped=True))
    margins = ((straight[:, 0] - straight[:, 1]) - (turned[:, 0] - turned[:, 1])) / 2
    np.testing.assert_allclose(student.margins(items), margins, atol=1e-5)
    np.testing.assert_allclose(student.margins(items, orders="single"), straight[:, 0] - straight[:, 1], atol=1e-5)


def test_features_are_contrasts_of_the_last_hidden_state(data, student):
    items = data.items[:50]
    straight = student.hidden(student.batch(items))
    turned = student.hidden(student.batch(items, swapped=True))
    assert straight.shape == (50, 1, student.hidden_size)
    np.testing.assert_allclose(student.features(items), (straight - turned)[:, 0], atol=1e-5)
    everything = student.hidden(student.batch(items), list(range(student.layers + 1)), pool="mean")
    assert everything.shape == (50, student.layers + 1, student.hidden_size)


def test_log_probs_are_those_of_all_logits(data, student):
    batch = student.batch(data.items[:5])
    logged = student.log_probs(batch)
    for row in range(len(batch)):
        start, end = batch.offsets[row : row + 2]
        assert logged[start] == 0.0
        before = aar.Batch([batch.tokens[start : end - 1]])
        logits = student.logits(before, list(range(student.vocab_size)))[0].astype(np.float64)
        expect = logits[batch.tokens[end - 1]] - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
        assert abs(logged[end - 1] - expect) < 1e-4


@pytest.mark.parametrize("kind", ["full", "adapter"])
def test_a_step_on_a_gradient_of_ones_own_is_the_built_in_step(data, student, kind):
    batch = student.batch(data.items[:32])
    targets, weights = data.weak[:32], np.linspace(0.5, 1.5, 32, dtype=np.float32)
    built_in = student.trainer(10, kind=kind, seed=3)
    own, by_margin = student.trainer(10, kind=kind, seed=3), student.trainer(10, kind=kind, seed=3)
    for _ in range(3):
        expect = built_in.step(batch, targets, weights)
        logits = own.forward(batch)
        margins = logits[:, 0] - logits[:, 1]
        slope = weights * (sigmoid(margins) - targets) / 32
        loss = np.mean(weights * (np.logaddexp(0, margins) - targets * margins))
        step = own.backward(np.stack([slope, -slope], axis=1), loss=float(loss))
        by_margin.forward(batch)
        by_margin.backward(slope)
        assert math.isclose(step.loss, expect.loss, rel_tol=1e-5)
        assert math.isclose(step.grad_norm, expect.grad_norm, rel_tol=1e-4)
        assert step.learning_rate == expect.learning_rate
    # Adam divides by the gradient's size: where that is next to nothing, the last bit of it decides.
    moved = np.abs(built_in.parameters() - student.trainer(10, kind=kind, seed=3).parameters())
    assert moved.max() > 1e-4
    for other in (own, by_margin):
        assert np.abs(other.parameters() - built_in.parameters()).mean() < 1e-2 * moved.mean()
        np.testing.assert_allclose(other.margins(data.items[:50]), built_in.margins(data.items[:50]), atol=2e-3)


def test_training_learns_and_leaves_the_student_alone(data, student):
    items, before = data.items[:256], student.margins(data.items[:20])
    batch, targets = student.batch(items), (data.weak[:256] > 0.5).astype(np.float32)
    trainer = student.trainer(30)
    losses = [trainer.step(batch.take(range(at % 8 * 32, at % 8 * 32 + 32)), targets[at % 8 * 32 :][:32]).loss for at in range(30)]
    assert np.mean(losses[-8:]) < np.mean(losses[:8]) - 0.02
    assert trainer.curve == list(zip(range(1, 31), losses))
    np.testing.assert_array_equal(student.margins(data.items[:20]), before)
    assert np.abs(trainer.margins(data.items[:20]) - before).max() > 0.1


def test_next_token_training_makes_a_text_likelier(data, student):
    batch = student.batch(data.items[:16])
    trainer = student.trainer(20, learning_rate=3e-4, schedule="constant")
    losses = [trainer.step_next_token(batch).loss for _ in range(20)]
    assert losses[-1] < losses[0]


def test_weights_can_be_averaged_and_training_gone_on_with(data, student):
    batch, targets = student.batch(data.items[:32]), data.weak[:32]
    trainer = student.trainer(10, learning_rate=1e-3)
    start = trainer.parameters()
    trainer.step(batch, targets)
    trainer.step(batch, targets)
    end = trainer.parameters()
    trainer.set_parameters((start + end) / 2)
    np.testing.assert_allclose(trainer.parameters(), (start + end) / 2)
    again = student.trainer(10, start=trainer.artefact())
    np.testing.assert_array_equal(again.parameters(), trainer.parameters())


@pytest.mark.parametrize("kind", ["full", "adapter", "head", "base"])
def test_what_is_saved_predicts_as_lab_predict_does(data, student, program, tmp_path, kind):
    items = data.items[:100]
    if kind == "head":
        artefact = student.head(np.linspace(-1, 1, student.hidden_size), 0.25)
        np.testing.assert_allclose(
            student.margins(items, artefact), student.features(items) @ np.linspace(-1, 1, student.hidden_size) + 0.25, atol=1e-3
        )
    elif kind == "base":
        artefact = student.base()
    else:
        trainer = student.trainer(3, kind=kind, learning_rate=1e-3)
        for _ in range(3):
            trainer.step(student.batch(items[:32]), data.weak[:32])
        artefact = trainer.artefact()
    assert artefact.kind == kind
    folder = student.save([artefact], tmp_path, curve=[(1, 0.5)])
    assert folder == tmp_path / "student"
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["operations"] == aar.operations() > 0 and report["curve"] == [[1, 0.5]]
    margins = student.predict(folder, items)
    np.testing.assert_allclose(margins, student.margins(items, artefact), atol=1e-5)
    given = ("--student", data.folder / "student", "--problem", data.folder / "problem.json")
    given += ("--items", lines(tmp_path / "items.jsonl", items), "--out", tmp_path / "margins")
    program("lab", "predict", "--artefacts", folder, *given)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "margins", "<f4"), margins)
    if kind != "base":
        np.testing.assert_allclose(student.margins(items, student.load(folder / "m0", kind)), margins, atol=1e-5)


def test_an_ensemble_answers_by_its_median(data, student, tmp_path):
    items = data.items[:40]
    heads = [student.head(np.eye(1, student.hidden_size, at)[0]) for at in range(3)]
    folder = student.save(heads, tmp_path, aggregate="median")
    np.testing.assert_allclose(student.predict(folder, items), np.median(student.features(items)[:, :3], axis=1), atol=1e-5)


def test_batches_are_taken_apart_and_joined(data, student):
    batch = student.batch(data.items[:6])
    some = batch.take(np.array([4, 1, 4]))
    assert len(some) == 3 and len(some + batch) == 9
    logits = student.logits(batch)
    np.testing.assert_allclose(student.logits(some), logits[[4, 1, 4]], atol=1e-5)
    again = aar.Batch([batch.tokens[a:b] for a, b in zip(batch.offsets, batch.offsets[1:])])
    np.testing.assert_array_equal(again.tokens, batch.tokens)
    np.testing.assert_allclose(student.logits(again), logits, atol=1e-5)
