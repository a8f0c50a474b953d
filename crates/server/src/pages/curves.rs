//! Training loss of an evaluation's seeds, as a figure and as a table to take away.

use crate::record::JobRecord;
use maud::{Markup, html};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 220.0;
/// Lines are told apart by their dashes, not by colour alone.
const DASHES: [&str; 5] = ["none", "7 3", "2 3", "9 3 2 3", "1 4"];

/// The seeds that have a curve, with their places among all.
fn drawn<'a>(jobs: &[&'a JobRecord]) -> Vec<(usize, &'a JobRecord)> {
    jobs.iter()
        .copied()
        .enumerate()
        .filter(|(_, job)| job.curve.iter().filter(|(_, loss)| loss.is_finite()).count() > 1)
        .collect()
}

/// Loss over steps, a line per seed; nothing where nobody wrote any down.
pub fn figure(jobs: &[&JobRecord]) -> Option<Markup> {
    let drawn = drawn(jobs);
    let points = || drawn.iter().flat_map(|(_, job)| &job.curve).filter(|(_, loss)| loss.is_finite());
    let steps = f64::from(points().map(|(step, _)| *step).max()?.max(1));
    let (low, high) = points().fold((f32::MAX, f32::MIN), |(low, high), (_, loss)| (low.min(*loss), high.max(*loss)));
    let (low, room) = (f64::from(low), f64::from(high - low).max(1e-6));
    let x = |step: u32| 56.0 + (WIDTH - 130.0) * f64::from(step) / steps;
    let y = |loss: f64| HEIGHT - 32.0 - (HEIGHT - 68.0) * (loss - low) / room;
    let line = |job: &JobRecord| {
        let finite = job.curve.iter().filter(|(_, loss)| loss.is_finite());
        finite.map(|(step, loss)| format!("{:.1},{:.1}", x(*step), y(f64::from(*loss)))).collect::<Vec<_>>().join(" ")
    };
    Some(html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label="training loss over steps, a line per seed" {
            @for share in [0.0, 0.5, 1.0] {
                @let at = format!("{:.1}", y(low + room * share));
                line x1="50" x2=(WIDTH - 70.0) y1=(at) y2=(at) stroke="var(--line)" {}
                text.faint x="44" y=(at) dy="4" text-anchor="end" { (format!("{:.2}", low + room * share)) }
            }
            @for (at, job) in &drawn {
                polyline points=(line(job)) fill="none" stroke="var(--accent)" stroke-width="1.5" stroke-dasharray=(DASHES[at % DASHES.len()]) { title { "seed " (job.seed.seed) } }
            }
            text.faint x="56" y=(HEIGHT - 8.0) { "steps, up to " (steps) }
            text.faint x="8" y="14" { "loss" }
        }
    })
}

/// The same as a table of comma-separated values.
pub fn csv(jobs: &[&JobRecord]) -> String {
    let mut out = "\"seed\",\"step\",\"loss\"\r\n".to_owned();
    for job in jobs {
        for (step, loss) in &job.curve {
            let _ = write!(out, "\"{}\",\"{step}\",\"{loss}\"\r\n", job.seed.seed);
        }
    }
    out
}
