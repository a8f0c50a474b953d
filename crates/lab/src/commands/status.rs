//! `lab status`

use super::print_json;
use crate::cli::Server;
use crate::failure::Failure;
use aar_api::evaluation::EvaluationView;
use aar_api::paths;
use aar_api::study::{Me, StudyView};

#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    server: Server,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let client = options.server.client()?;
    let me: Me = client.get(paths::ME)?;
    let own: Vec<EvaluationView> = client.get(paths::EVALUATIONS)?;
    let study: StudyView = client.get(paths::STUDY)?;
    if json {
        print_json(&serde_json::json!({"me": me, "study": study, "evaluations": own}));
        return Ok(());
    }
    crate::say!(
        "{} in {} ({}, {}): {} of {} evaluations left",
        me.name,
        study.name,
        study.testbed,
        study.phase,
        me.evaluations_left,
        me.evaluations_left + me.evaluations_used
    );
    if let Some(direction) = &me.direction {
        crate::say!("direction: {direction}");
    }
    for view in &own {
        crate::say!("{}", line(view));
    }
    Ok(())
}

/// One evaluation on a line.
pub fn line(view: &EvaluationView) -> String {
    let bundle = view.bundle.get(..8).unwrap_or(&view.bundle);
    let state = match (&view.feedback, &view.reason) {
        (Some(feedback), _) => match feedback.pgr {
            Some(pgr) => format!("PGR about {pgr:.2} (the ledger's step of {:.2}, not a measurement)", feedback.step),
            None => "PGR undefined: the gap is not clearly positive".into(),
        },
        (None, Some(reason)) => format!("failed: {reason}"),
        (None, None) => format!("{}, {} of {} seeds", view.status, view.seeds_done, view.seeds),
    };
    format!("#{} {} [{bundle}] {state}", view.id, view.name)
}
