"""Arrays are moved out and read in place; what does not fit is refused in words."""

import tracemalloc

import aar
import numpy as np
import pytest


def test_what_comes_out_is_the_engines_own_memory(data, student):
    batch = student.batch(data.items[:8])
    trainer = student.trainer(4)
    for array in (student.logits(batch), student.hidden(batch), student.features(data.items[:8]), trainer.forward(batch)):
        # NumPy frees what it made itself; this it was given, and whoever views it shares it.
        assert not array.flags.owndata and type(array.base).__name__ == "PySliceContainer"
        assert array.dtype == np.float32 and array.flags.c_contiguous and array.flags.writeable
        view = array.reshape(-1)
        assert np.shares_memory(view, array)
        view[0] = 7.0
        assert array.flat[0] == 7.0


def test_a_gradient_in_row_order_is_read_where_it_lies(data, student):
    """NumPy reports what it allocates to tracemalloc; a conversion shows there, reading in place does not."""
    batch = student.batch(data.items[:64])
    words = list(range(student.vocab_size))
    trainer = student.trainer(10, learning_rate=1e-5)

    def allocated(dlogits):
        trainer.forward(batch, words)
        tracemalloc.start()
        trainer.backward(dlogits)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    straight = np.full((64, len(words)), 1e-3, np.float32)
    assert allocated(straight) < straight.nbytes / 4
    assert allocated(straight.astype(np.float64)) >= straight.nbytes


def test_any_layout_gives_the_same_step(data, student):
    batch = student.batch(data.items[:16])
    slope = np.linspace(-0.05, 0.05, 16)
    dlogits = np.stack([slope, -slope], axis=1).astype(np.float32)

    def norm(gradient):
        trainer = student.trainer(4)
        trainer.forward(batch)
        return trainer.backward(gradient).grad_norm

    expect = norm(dlogits)
    assert expect > 0
    for same in (np.asfortranarray(dlogits), np.repeat(dlogits, 2, axis=0)[::2], dlogits.tolist(), slope.tolist()):
        assert abs(norm(same) - expect) < 1e-5 * expect


def refused(kind, words, call):
    with pytest.raises(kind) as caught:
        call()
    assert words in str(caught.value), str(caught.value)


def test_what_does_not_fit_is_refused_in_words(data, student, tmp_path):
    batch = student.batch(data.items[:4])
    trainer = student.trainer(4)
    refused(RuntimeError, "call forward first", lambda: trainer.backward(np.zeros((4, 2))))
    trainer.forward(batch)
    refused(ValueError, "dlogits has shape (3, 2), (4, 2) is needed", lambda: trainer.backward(np.zeros((3, 2))))
    refused(ValueError, "value 1 is NaN, finite numbers are needed", lambda: trainer.backward([0.0, np.nan, 0.0, 0.0]))
    trainer.backward(np.zeros(4))
    refused(RuntimeError, "call forward first", lambda: trainer.backward(np.zeros(4)))
    refused(ValueError, "targets: value 2 is 1.5, it must lie in [0, 1]", lambda: trainer.step(batch, [0, 1, 1.5, 0]))
    refused(ValueError, "weights has shape (2,), (4,) is needed", lambda: trainer.step(batch, [0, 1, 1, 0], [1, 1]))
    refused(ValueError, "values has shape (3,)", lambda: trainer.set_parameters([1, 2, 3]))
    refused(ValueError, "word 999 is none of the student's", lambda: trainer.forward(batch, [999]))
    refused(ValueError, "token 999 is none of the student's", lambda: student.logits(aar.Batch([[999]])))
    refused(ValueError, "a batch needs at least one row", lambda: student.logits(aar.Batch([])))
    refused(ValueError, "the student reads at most 64", lambda: student.logits(aar.Batch([[1] * 65])))
    refused(IndexError, "row 4 of a batch of 4", lambda: batch.take([4]))
    refused(ValueError, 'orders is "all"; it may be "single", "both"', lambda: student.margins(data.items[:1], orders="all"))
    refused(ValueError, "there is no layer 9", lambda: student.hidden(batch, [9]))
    refused(ValueError, 'kind is "lora"; it may be "full", "adapter"', lambda: student.trainer(4, kind="lora"))
    refused(ValueError, "learning_rate is -1", lambda: student.trainer(4, learning_rate=-1))
    refused(KeyError, 'item 1 has no "second"', lambda: student.batch([data.items[0], {"id": "x", "prompt": "", "first": ""}]))
    refused(TypeError, "item 0 is a str", lambda: student.batch(data.items[0]))
    refused(ValueError, "weight has shape (2,)", lambda: student.head([1, 2]))
    refused(aar.Error, "0 members, but 1 to 8 are allowed", lambda: student.save([], tmp_path))
    refused(aar.Error, "there is no zero-shot prompt 7", lambda: student.batch(data.items[:1], zero_shot=7))
    refused(FileNotFoundError, "problem.json", lambda: aar.Data(tmp_path))
    refused(FileNotFoundError, "inference.json", lambda: student.predict(tmp_path / "nowhere", data.items[:1]))


def test_numbers_that_run_away_are_an_error(data, student):
    trainer = student.trainer(50, learning_rate=1e30, schedule="constant", clip=None)
    batch = student.batch(data.items[:8])
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        for _ in range(50):
            trainer.step(batch, data.weak[:8])


def test_folders_and_seeds_come_from_the_environment(data, monkeypatch, tmp_path):
    monkeypatch.delenv("AAR_IN", raising=False)
    monkeypatch.setenv("AAR_DATA", str(data.folder))
    assert aar.Data().seed is None
    for file in data.folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "seed").write_text("12\n")
    monkeypatch.setenv("AAR_IN", str(tmp_path))
    assert aar.Data().folder == tmp_path and aar.Data().seed == 12
    (tmp_path / "seed").write_text("a dozen")
    refused(aar.Error, '"a dozen" is no seed', lambda: aar.Data().seed)
