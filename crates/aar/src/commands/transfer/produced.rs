//! `aar transfer --production`: one finalist, registered, then tried.

use super::{note, with_bar};
use crate::failure::{Failure, INPUT};
use aar_domain::transfer::production::{Registered, Trial};
use aar_server::Server;
use aar_server::transfer::{REGISTERED, TRIED, registered};
use aar_study::transfer::production::Question;
use aar_study::transfer::{Method, TransferConfig};

/// The finalist of this name, or the one that was replicated at the highest PGR.
pub fn chosen<'a>(methods: &'a [Method], name: Option<&str>) -> Result<&'a Method, Failure> {
    let finalists = || methods.iter().filter(|method| method.home.is_some());
    let found = match name {
        Some(name) => finalists().find(|method| method.name == name),
        None => finalists().max_by(|a, b| {
            let pgr = |method: &Method| method.home.map_or(f64::NEG_INFINITY, |home| home.value);
            pgr(a).total_cmp(&pgr(b))
        }),
    };
    found.ok_or_else(|| {
        let names: Vec<String> = finalists().map(|method| format!("{:?}", method.name)).collect();
        let detail = match name {
            Some(name) => format!("no finalist is called {name:?}"),
            None => "no finalist has a PGR, so none can be tried in production".to_owned(),
        };
        Failure::new(INPUT, detail).hint(format!("finalists: {}", names.join(", ")))
    })
}

/// Put on record what will be tried, unless it is there; try it; put on record what came of it.
pub fn tried(server: &Server, config: &TransferConfig, question: &Question, quiet: bool) -> Result<Trial, Failure> {
    let said = match before(server, question)? {
        Some(said) => said,
        None => {
            let said = with_bar(quiet, &|tell| question.register(config, tell))?;
            note(server, REGISTERED, &said)?;
            said
        }
    };
    if !quiet {
        aar_lab::note!(
            "registered: “{}” against plain training on {}, {} seeds, which find {:.1} points with a power of {:.2}",
            said.method,
            said.testbed,
            said.seeds,
            100.0 * said.effect,
            said.power
        );
    }
    let trial = with_bar(quiet, &|tell| question.run(config, &said, tell))?;
    note(server, TRIED, &trial)?;
    Ok(trial)
}

/// What was registered on this testbed before. A second method, or another effect, would be a second look at the same items.
fn before(server: &Server, question: &Question) -> Result<Option<Registered>, Failure> {
    let record = aar_study::transfer::record_hash(question.testbed);
    let Some(said) = registered(&server.snapshot().notes).into_iter().find(|said| said.record == record) else {
        return Ok(None);
    };
    let same = question.effect.is_none_or(|effect| (said.effect - effect).abs() < 1e-9);
    if said.bundle == question.method.bundle.id() && same {
        return Ok(Some(said));
    }
    let detail = format!(
        "“{}” with an effect of {:.1} points was registered on {} already",
        said.method,
        100.0 * said.effect,
        said.testbed
    );
    Err(Failure::new(INPUT, detail).hint("a second trial needs a world of its own: --production=DIR names one"))
}
