//! Constructed shortcuts: ways to an answer around training the student on weak labels, each as good as we could make it. They
//! are reported beside the best honest recipe, not bounded: what they get is what a program could get that games this generator.

use crate::baselines::{Baselines, Tests, mean, recipe};
use crate::draw::{Draw, Sample};
use crate::error::WorldError;
use crate::subject::{Recall, Shortcuts};
use crate::surface::Surface;
use aar_domain::testbed::Check;
use aar_methods::pool::{Pool, sigmoid};
use aar_methods::{Student, train};

/// Evaluation seeds, that is teachers, of each.
const SEEDS: usize = 3;

/// How their lines in a world's record begin and end.
const BEGIN: &str = "constructed: ";
const END: &str = " (PGR)";

/// What they got, from a world's record.
pub fn on_record(checks: &[Check]) -> Vec<(String, f64)> {
    let name = |check: &Check| Some(check.name.strip_prefix(BEGIN)?.strip_suffix(END)?.to_owned());
    checks.iter().filter_map(|check| Some((name(check)?, check.value))).collect()
}

/// PGR of each on the check items, given mean weak and ceiling accuracy.
pub fn measure(draw: &Draw, baselines: &Baselines, tests: &Tests) -> Result<Vec<Check>, WorldError> {
    let (weak, ceiling) = baselines.on_check();
    let row = |name: &str, accuracy: f64| Check {
        name: format!("{BEGIN}{name}{END}"),
        value: (accuracy - weak) / (ceiling - weak),
        bounds: (None, None),
        report_only: true,
    };
    let surface = Surface::new(&draw.pool.items, &tests.check.items);
    let clusters = surface.clusters(&mut draw.secret.stream("clusters of surface forms"));
    let over_teachers = |margins: &dyn Fn(&[f32]) -> Vec<f32>| {
        mean(baselines.soft[..SEEDS].iter().map(|soft| tests.check.accuracy(&margins(soft))))
    };
    let mut rows = vec![];
    if let Some(shortcuts) = draw.world.shortcuts() {
        let inferred = |soft: &[f32]| shortcuts.inferred(&draw.pool.items, soft, &tests.check.items);
        rows.push(row("pool labelled by cloze", cloze(draw, shortcuts, &tests.check)?));
        rows.push(row("facts inferred from the pool's weak labels", over_teachers(&inferred)));
    }
    rows.extend([
        row("weak labels averaged over clusters of surface forms", over_teachers(&|soft| clusters.margins(soft))),
        row("the teacher's strongest cues followed", over_teachers(&|soft| surface.cues(soft, 1.0))),
        row("the teacher's strongest cues inverted", over_teachers(&|soft| surface.cues(soft, -1.0))),
    ]);
    Ok(rows)
}

/// Label the pool by asking the untouched student for the facts, train on that. Never uses a weak label. Returns the accuracy.
fn cloze(draw: &Draw, shortcuts: &dyn Shortcuts, test: &Sample) -> Result<f64, WorldError> {
    let recall = Recall { model: draw.student.model(), tokenizer: &draw.tokenizer };
    let margins = shortcuts.cloze(&recall, &draw.pool.items)?;
    let pool = Pool::new(draw.pool.items.clone(), margins.into_iter().map(sigmoid).collect());
    let trained = train::train(&recipe("plain")?, &pool, &draw.student, 0)?;
    debug_assert_eq!(draw.student.problem(), &draw.problem);
    Ok(test.accuracy(&trained.margins(&draw.student, &test.items)?))
}
