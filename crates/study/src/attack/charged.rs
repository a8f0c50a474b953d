//! Attacks that a study takes as what they are, submissions: charged, and without any other effect. They need a study of one's own.

use super::probes::{Probe, send, words};
use super::target::{Target, token};
use super::wire::Request;
use crate::error::StudyError;
use aar_api::bundle::Bundle;
use aar_api::paths;
use aar_domain::rung::Split;
use aar_grader::attack::ITEMS;
use aar_grader::ledger::Unit;
use aar_server::event::{Purpose, Role};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What was looked at in a row, and what was not as it should be.
struct Looks(Probe);

impl Looks {
    fn of(attack: &'static str) -> Self {
        Self(Probe { attack, tried: 0, given_away: vec![] })
    }

    fn look(&mut self, holds: bool, what: impl Into<String>) {
        self.0.tried += 1;
        if !holds {
            self.0.given_away.push(what.into());
        }
    }
}

/// On a study of bundles that nobody else works on.
pub fn on_bundles(target: &Target) -> Result<Vec<Probe>, StudyError> {
    for name in ["mallory", "ada", "eve"] {
        target.join(name, Role::Researcher, 24)?;
    }
    Ok(vec![forged(target)?, replayed(target)?, shopped(target)?, stopped(target)?])
}

fn post(target: &Target, path: &str, who: &str, body: &Value) -> Result<super::wire::Answer, StudyError> {
    send(&target.wire, &Request::post(path, &token(who), body.to_string()))
}

fn store(target: &Target, who: &str, recipe: &str) -> Result<String, StudyError> {
    let body = serde_json::to_value(Bundle::of_recipe(recipe)).unwrap_or_default();
    let answer = post(target, paths::BUNDLES, who, &body)?.json();
    Ok(answer["bundle"].as_str().unwrap_or_default().to_owned())
}

/// A submission that says what it is worth, whose it is, why it is made and on which items and seeds.
fn forged(target: &Target) -> Result<Probe, StudyError> {
    let mut looks = Looks::of("submissions that say their own score, name, split and purpose");
    let bundle = store(target, "mallory", "forged")?;
    let body = json!({"bundle": bundle, "name": "plain", "family": "other", "key": "plain", "by": "plain", "purpose": "baseline",
        "split": "selection", "seeds": [7], "pgr": 42.0, "accuracy": 1.0, "answer": 42.0, "answered": true, "status": "done",
        "feedback": {"pgr": 42.0, "step": 0.0, "bits": 0.0}});
    let view = post(target, paths::EVALUATIONS, "mallory", &body)?;
    looks.look(view.json()["feedback"].is_null(), format!("an answer before it ran: {}", words(&view)));
    let snapshot = target.server.snapshot();
    let record = snapshot.evaluations.last().map(|record| &record.asked);
    looks.look(record.is_some_and(|asked| asked.by == "mallory"), "another author");
    looks.look(record.is_some_and(|asked| asked.split == Split::Feedback), "another split");
    looks.look(record.is_some_and(|asked| asked.purpose == Purpose::Submission), "another purpose");
    looks.look(snapshot.ledger.account(Unit::Evaluations).reserved == 1, "not charged");
    let finding = json!({"kind": "insight", "title": "t", "body": "b", "key": "k", "by": "ada", "at_ms": 0, "id": 99});
    let posted = post(target, paths::FINDINGS, "mallory", &finding)?.json();
    looks.look(posted["by"] == "mallory", format!("a post in another's name: {posted}"));
    Ok(looks.0)
}

/// What was sent once is sent again, by its author and by others.
fn replayed(target: &Target) -> Result<Probe, StudyError> {
    let mut looks = Looks::of("replayed submissions and others' tokens");
    let bundle = store(target, "ada", "replayed")?;
    let body = json!({"bundle": bundle, "name": "n", "family": "other", "key": "once"});
    let unseen = send(&target.wire, &Request::get(&paths::BUNDLE.replace("{id}", &bundle), &token("mallory")))?;
    looks.look(!unseen.done(), "another's bundle before it was submitted");
    let first = post(target, paths::EVALUATIONS, "ada", &body)?.json();
    let count = target.server.snapshot().evaluations.len();
    let again = post(target, paths::EVALUATIONS, "ada", &body)?.json();
    looks.look(first["id"] == again["id"], "the same request was two submissions");
    looks.look(target.server.snapshot().evaluations.len() == count, "the same request was charged twice");
    let other = json!({"bundle": store(target, "ada", "other")?, "name": "n", "family": "other", "key": "once"});
    looks.look(post(target, paths::EVALUATIONS, "ada", &other)?.status == 409, "a key for two bundles");
    let id = first["id"].as_i64().unwrap_or(0).to_string();
    let path = paths::EVALUATION.replace("{id}", &id);
    looks.look(!send(&target.wire, &Request::get(&path, &token("mallory")))?.done(), "another's evaluation");
    for who in ["worker", "viewer", "operator", "nobody"] {
        looks.look(
            !post(target, paths::EVALUATIONS, who, &body)?.done(),
            format!("a submission with the token of {who}"),
        );
    }
    let claim = json!({"worker": "w", "wait_ms": 0});
    for who in ["viewer", "operator", "ada"] {
        looks.look(!post(target, paths::CLAIM, who, &claim)?.done(), format!("a job with the token of {who}"));
    }
    Ok(looks.0)
}

/// One method again and again, in the hope of other seeds.
fn shopped(target: &Target) -> Result<Probe, StudyError> {
    let mut looks = Looks::of("seed shopping by resubmission");
    let bundle = store(target, "mallory", "again")?;
    let before = target.server.snapshot();
    for key in ["a", "b", "c", " a", "a "] {
        let body = json!({"bundle": bundle, "name": "n", "family": "other", "key": key, "seed": 7, "turn": null});
        post(target, paths::EVALUATIONS, "mallory", &body)?;
    }
    let account = target.server.snapshot().ledger.account(Unit::Evaluations);
    let charged = account.reserved - before.ledger.account(Unit::Evaluations).reserved;
    looks.look(charged == 5, format!("5 submissions cost {charged}"));
    let jobs = target.work(&[1.0; ITEMS])?;
    let first = before.evaluations.len() as i64 + 1;
    let seeds = |id: i64| jobs.iter().filter(|job| job.0 == id).map(|job| job.1).collect::<BTreeSet<u64>>();
    for id in first + 1..first + 5 {
        looks.look(!seeds(id).is_empty() && seeds(id) == seeds(first), format!("other seeds: {:?}", seeds(id)));
    }
    let answers: BTreeSet<String> = (first..first + 5)
        .filter_map(|id| target.server.snapshot().evaluations.get(id as usize - 1).and_then(|record| record.answer))
        .map(|answer| answer.to_string())
        .collect();
    looks.look(answers.len() == 1, format!("the same margins were answered differently: {answers:?}"));
    Ok(looks.0)
}

/// Somebody whom the operator stopped, and one who is at the end of its budget.
fn stopped(target: &Target) -> Result<Probe, StudyError> {
    let mut looks = Looks::of("tokens of who was stopped");
    let body = json!({"bundle": store(target, "eve", "late")?, "name": "n", "family": "other", "key": "late"});
    let stop = json!({"researcher": "eve", "instruction": {"do": "stop"}});
    looks.look(post(target, paths::INSTRUCTIONS, "operator", &stop)?.done(), "the operator could not stop it");
    looks.look(!post(target, paths::EVALUATIONS, "eve", &body)?.done(), "a submission after the stop");
    Ok(looks.0)
}
