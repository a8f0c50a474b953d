//! Every method's formula against NumPy (fixtures/make.py), to 1e-6.

use aar_domain::inference::Aggregate;
use aar_methods::ccs;
use aar_methods::label::epiplexity::{Seen, smoothing};
use aar_methods::label::{best_prompt, channel, coherence, critic};
use aar_methods::objective::{co_teaching, curriculum, evolution, loss};
use aar_methods::pool::sigmoid;
use aar_methods::recipe::{Curriculum, Objective};
use aar_methods::select::{confident_learning, overlap};
use serde_json::Value;

const TOLERANCE: f64 = 1e-6;

fn oracle(part: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("fixtures/oracle.json")).expect("fixture is JSON");
    all[part].clone()
}

fn exact(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn floats(value: &Value) -> Vec<f32> {
    exact(value).into_iter().map(|number| number as f32).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    exact(value).into_iter().map(|number| number as usize).collect()
}

fn flags(value: &Value) -> Vec<bool> {
    value.as_array().expect("a list").iter().map(|flag| flag.as_bool().expect("a flag")).collect()
}

fn close(found: impl IntoIterator<Item = impl Into<f64>>, expected: &Value, what: &str) {
    let (found, expected): (Vec<f64>, Vec<f64>) = (found.into_iter().map(Into::into).collect(), exact(expected));
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst < TOLERANCE, "{what}: off by {worst}");
}

fn objective(loss: &Value, aux: &Value) -> Objective {
    serde_json::from_value(serde_json::json!({"loss": loss, "aux": aux})).expect("an objective")
}

#[test]
fn slopes_of_losses() {
    let expect = oracle("losses");
    let margins = floats(&expect["margins"]);
    let progress = expect["progress"].as_f64().expect("a number") as f32;
    for (name, slopes) in expect["slopes"].as_object().expect("losses by name") {
        let objective = objective(&name.as_str().into(), &expect["aux"]);
        for (form, slopes) in slopes.as_object().expect("forms of labels") {
            let pull = loss::pull(&objective, &margins, &floats(&expect[form]), progress);
            let found = margins.iter().zip(&pull.targets).zip(&pull.factors);
            let found = found.map(|((&margin, target), factor)| factor * (sigmoid(margin) - target));
            close(found, slopes, &format!("{name}, {form} labels"));
        }
    }
}

#[test]
fn mixup_gradient() {
    let (expect, mixed) = (oracle("losses"), &oracle("losses")["mixup"]);
    let (margins, targets) = (floats(&expect["margins"]), floats(&expect["soft"]));
    let (weights, share) = (floats(&mixed["weights"]), mixed["share"].as_f64().expect("a number") as f32);
    let mut gradient = vec![0.0; 2 * margins.len()];
    let plain = Objective::default();
    let found = loss::step(&plain, Some(share), (&margins, &targets, &weights), 1.0, &mut gradient);
    close(gradient.chunks_exact(2).map(|pair| pair[0]), &mixed["slopes"], "mixup");
    close([found], &Value::from(vec![mixed["loss"].clone()]), "mixup's loss");
}

#[test]
fn contrast_consistent_search() {
    let expect = oracle("ccs");
    let width = expect["width"].as_u64().expect("a number") as usize;
    let sides = ["positive", "negative"].map(|side| ccs::normalised(&floats(&expect[side]), width));
    let (loss, gradient) = ccs::loss(&exact(&expect["theta"]), &sides, width);
    close([loss], &Value::from(vec![expect["loss"].clone()]), "loss");
    close(gradient, &expect["gradient"], "gradient");
}

#[test]
fn co_teaching_schedule_and_choice() {
    let expect = oracle("co_teaching");
    let forget = expect["forget"].as_f64().expect("a number") as f32;
    close(floats(&expect["progress"]).into_iter().map(|at| co_teaching::kept(forget, at)), &expect["kept"], "kept");
    let share = expect["share"].as_f64().expect("a number") as f32;
    assert_eq!(co_teaching::easiest(&floats(&expect["losses"]), share), indices(&expect["easiest"]));
}

#[test]
fn curriculum_pace_and_ranking() {
    let expect = oracle("curriculum");
    let phases = curriculum::phases(Curriculum::Confidence, 100);
    close(floats(&expect["progress"]).into_iter().map(phases[0].share), &expect["confidence"], "share");
    assert_eq!(curriculum::easiest_first(&floats(&expect["weak"])), indices(&expect["easiest_first"]));
}

#[test]
fn item_dependent_channel() {
    let expect = oracle("channel");
    let posterior = channel::em(&floats(&expect["weak"]), &floats(&expect["margins"]));
    close(posterior, &expect["posterior"], "posterior");
}

#[test]
fn mutual_predictability() {
    let expect = oracle("coherence");
    let width = expect["width"].as_u64().expect("a number") as usize;
    let rows: Vec<Vec<f64>> = exact(&expect["rows"]).chunks_exact(width).map(<[f64]>::to_vec).collect();
    let found = coherence::predictability(&rows, &exact(&expect["labels"]));
    close([found], &Value::from(vec![expect["predictability"].clone()]), "P(D)");
}

#[test]
fn joint_of_given_and_true_labels() {
    let expect = oracle("confident_learning");
    let (given, p) = (flags(&expect["given"]), floats(&expect["p"]));
    for (row, expected) in confident_learning::joint(&given, &p).iter().zip(expect["joint"].as_array().expect("rows")) {
        close(row.iter().copied(), expected, "joint");
    }
    assert_eq!(confident_learning::prune(&given, &p), indices(&expect["kept"]));
}

#[test]
fn overlap_scores() {
    let expect = oracle("overlap");
    assert_eq!(overlap::change_point(&floats(&expect["sorted"])) as u64, expect["change_point"]);
    let (rows, of, hard) = (floats(&expect["rows"]), indices(&expect["of"]), indices(&expect["hard"]));
    close(overlap::scores(&rows, 3, &of, &hard), &expect["scores"], "scores");
}

#[test]
fn out_of_fold_targets() {
    let expect = oracle("epiplexity");
    close(smoothing(&floats(&expect["drop"])), &expect["smoothing"], "smoothing");
    let out = flags(&expect["out"]);
    let mut seen = Seen::new(&floats(&expect["weak"]), floats(&expect["before"]));
    seen.by_fold(&floats(&expect["first"]), |i| out[i]);
    seen.by_fold(&floats(&expect["second"]), |i| !out[i]);
    close(seen.targets(), &expect["targets"], "targets");
}

#[test]
fn trimmed_mean_of_members() {
    let expect = oracle("trimmed_mean");
    let members: Vec<Vec<f32>> = expect["members"].as_array().expect("members").iter().map(floats).collect();
    let margin = |i: usize| Aggregate::Trimmed.combine(&mut members.iter().map(|m| m[i]).collect::<Vec<_>>());
    close((0..8).map(margin), &expect["margins"], "margins");
}

#[test]
fn information_of_prompts() {
    let expect = oracle("best_prompt");
    let margins: Vec<Vec<f32>> = expect["margins"].as_array().expect("prompts").iter().map(floats).collect();
    let found = margins.iter().map(|margins| best_prompt::information(margins));
    close(found, &expect["information"], "information");
    assert_eq!(best_prompt::best(&margins) as u64, expect["best"]);
}

#[test]
fn evolution_step_and_fitness() {
    let expect = oracle("evolution");
    let utilities = evolution::utilities(&floats(&expect["fitness"]));
    close(utilities.iter().copied(), &expect["utilities"], "utilities");
    let noise: Vec<Vec<f32>> = expect["noise"].as_array().expect("pairs").iter().map(floats).collect();
    let spread = expect["spread"].as_f64().expect("a number") as f32;
    close(evolution::gradient(&noise, &utilities, spread), &expect["gradient"], "gradient");
    let (margins, turned) = (floats(&expect["margins"]), floats(&expect["turned"]));
    let targets = floats(&expect["targets"]);
    let fit = |turned| evolution::fitness(&margins, turned, &targets);
    close([fit(Some(&turned[..])), fit(None)], &expect["fit"], "fitness");
}

#[test]
fn advantages_and_coefficients_of_a_policy() {
    let expect = oracle("critic");
    let advantages = critic::advantages(&floats(&expect["rewards"]));
    close(advantages.iter().copied(), &expect["advantages"], "advantages");
    let (own, reference) = (floats(&expect["own"]), floats(&expect["reference"]));
    let found = advantages.iter().zip(own.iter().zip(&reference));
    let found = found.map(|(&advantage, (&own, &reference))| critic::coefficient(advantage, own, reference));
    close(found, &expect["coefficients"], "coefficients");
}
