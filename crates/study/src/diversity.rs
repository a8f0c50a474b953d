//! A team that collapses onto one idea: said once each time, and where the study file wants it the worst duplicate is sent elsewhere.

use crate::error::StudyError;
use aar_domain::directions::DIRECTIONS;
use aar_domain::rung::Kind;
use aar_server::Server;
use aar_server::handle::Snapshot;
use aar_server::ideas::{COLLAPSED, Collapse, RECOVERED, standing};
use serde::Serialize;
use serde_json::{Value, json};

/// The kind of the notes that say it, so that a run that goes on does not say it again.
const NOTE: &str = "diversity";

/// A collapse, as it stands on the study's record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// The family that nearly all stand in.
    pub family: String,
    /// Researchers at work.
    pub active: usize,
    /// Those of them in that family.
    pub inside: usize,
    /// Shannon entropy of families over them, in bits.
    pub entropy: f64,
    /// The submission after which it was so.
    pub evaluation: i64,
    /// Who was given a new direction.
    pub redirected: Option<String>,
    /// The direction.
    pub direction: Option<String>,
}

/// Look at the team; what is to be said of it, if anything new is.
pub fn look(server: &Server, snapshot: &Snapshot, redirect: bool) -> Result<Option<Notice>, StudyError> {
    let Some(team) = standing(&snapshot.evaluations, &snapshot.retired) else {
        return Ok(None);
    };
    let last = snapshot.notes.iter().rfind(|note| note.kind == NOTE);
    let known = last.is_some_and(|note| note.body["collapsed"] == true);
    let share = team.point.entropy / team.point.most();
    if known && share > RECOVERED {
        server.note(NOTE, json!({"collapsed": false, "evaluation": team.point.evaluation}))?;
    }
    if known || share >= COLLAPSED {
        return Ok(None);
    }
    let sent = if redirect { elsewhere(snapshot, &team) } else { None };
    let notice = Notice {
        active: team.point.active,
        inside: team.inside.len(),
        entropy: team.point.entropy,
        evaluation: team.point.evaluation,
        redirected: sent.as_ref().map(|(name, _)| name.clone()),
        direction: sent.as_ref().map(|(_, direction)| (*direction).to_owned()),
        family: team.family,
    };
    let mut body = serde_json::to_value(&notice).unwrap_or_default();
    body["collapsed"] = true.into();
    server.note(NOTE, body)?;
    if let Some((name, direction)) = sent {
        let family = &notice.family;
        let text = format!(
            "{} of {} researchers now work on {family}, and of those your results say least for it. Leave it to the others, and \
             start again from here: {direction}",
            notice.inside, notice.active
        );
        server.say(&name, &text)?;
    }
    Ok(Some(notice))
}

/// The one who got least out of the family, among those who read messages, and a direction that nobody has.
fn elsewhere(snapshot: &Snapshot, team: &Collapse) -> Option<(String, &'static str)> {
    let reads = |name: &&String| {
        snapshot
            .participant(name)
            .is_some_and(|participant| matches!(participant.kind, Some(Kind::LanguageModel | Kind::Command)))
    };
    let name = team.inside.iter().rev().find(reads)?;
    let given = |direction: &&str| {
        let noted = snapshot.notes.iter().any(|note| note.kind == NOTE && note.body["direction"] == **direction);
        noted || snapshot.participants.iter().any(|participant| participant.direction.as_deref() == Some(*direction))
    };
    let free = DIRECTIONS.into_iter().find(|direction| !given(direction));
    // Where all are given, the one that lies farthest in their order from the researcher's own.
    let own = snapshot.participant(name)?.direction.as_deref();
    let place = DIRECTIONS.iter().position(|direction| Some(*direction) == own).unwrap_or(0);
    Some((name.clone(), free.unwrap_or(DIRECTIONS[(place + DIRECTIONS.len() / 2) % DIRECTIONS.len()])))
}

/// What was said in this study, oldest first.
pub fn notices(snapshot: &Snapshot) -> Vec<Notice> {
    let read = |body: &Value| {
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        let count = |key: &str| body[key].as_u64().unwrap_or_default() as usize;
        Some(Notice {
            family: text("family")?,
            active: count("active"),
            inside: count("inside"),
            entropy: body["entropy"].as_f64()?,
            evaluation: body["evaluation"].as_i64()?,
            redirected: text("redirected"),
            direction: text("direction"),
        })
    };
    snapshot.notes.iter().filter(|note| note.kind == NOTE).filter_map(|note| read(&note.body)).collect()
}
