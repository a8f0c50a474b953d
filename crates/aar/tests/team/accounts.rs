//! Do board, bill, ledger and transcripts agree?

use crate::KEY;
use crate::faults::{Fault, Faults};
use crate::policy::{HOSTILE, so_far};
use aar_llm::conversation::{Block, Usage};
use aar_scripted::endpoint::{Asked, Endpoint};
use serde_json::Value;
use std::path::Path;

/// What a researcher did last, for whoever has to find out why it did not do more.
fn trace(endpoint: &Endpoint, name: &str) -> String {
    let asked = endpoint.asked().into_iter().filter(|asked| asked.caller == name);
    let step = |asked: Asked| {
        let (calls, last) = so_far(&asked.request);
        format!("{:?} -> {}", calls.last(), last.chars().take(300).collect::<String>())
    };
    let steps: Vec<String> = asked.map(step).collect();
    steps[steps.len().saturating_sub(14)..].join("\n")
}

pub fn work_was_done(result: &Value, endpoint: &Endpoint) {
    let rows = result["leaderboard"].as_array().unwrap();
    let graded: Vec<&Value> =
        rows.iter().filter(|row| row["kind"] == "language-model" && row["rung"] == "graded").collect();
    assert!(graded.len() >= 16, "{} of 18: {:#?}", graded.len(), result["failures"]);
    let built = graded.iter().filter(|row| row["parent_by"].as_str().is_some_and(|by| row["by"] != by));
    assert!(built.count() >= 5, "several build on another's snapshot");
    if Path::new("/usr/bin/python3").exists() {
        assert!(graded.iter().any(|row| row["method"] == "own loss" && row["pgr"].is_number()), "{graded:#?}");
    } else {
        println!("skipped: no Python on this host, so nobody wrote a train of its own");
    }
    for researcher in result["researchers"].as_array().unwrap() {
        let trace = || trace(endpoint, researcher["name"].as_str().unwrap());
        assert_eq!(researcher["evaluations"], 2, "{researcher}\n{}", trace());
        let posted = researcher["findings"].as_u64().unwrap() >= 1 && researcher["direction"].is_string();
        assert!(posted, "{researcher}\n{}", trace());
    }
    assert!(rows.iter().any(|row| row["rung"] == "replicated" && row["kind"] == "language-model"));
}

pub fn usage(value: &Value) -> Usage {
    serde_json::from_value(value.clone()).unwrap()
}

/// Tokens that somebody's transcript says were charged for calls that ended so.
fn transcribed(out: &Path, name: &str, outcomes: &[&str]) -> Usage {
    let text = std::fs::read_to_string(out.join(format!("transcripts/{name}.jsonl"))).unwrap();
    let mut sum = Usage::default();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if outcomes.iter().any(|outcome| event["outcome"] == *outcome) {
            sum += usage(&event["charge"]["usage"]);
        }
    }
    sum
}

/// Tokens that the endpoint billed somebody for calls that met this fault, or none.
fn billed(asked: &[Asked], met: &[Option<Fault>], fault: impl Fn(Option<Fault>) -> bool) -> Usage {
    let mut sum = Usage::default();
    asked.iter().zip(met).filter(|(_, met)| fault(**met)).for_each(|(asked, _)| sum += asked.billed);
    sum
}

/// Bill, ledger and transcripts agree to the token, for everybody and through all faults.
pub fn agree(result: &Value, endpoint: &Endpoint, faults: &Faults, out: &Path) {
    let mut team = Usage::default();
    for researcher in result["researchers"].as_array().unwrap() {
        let name = researcher["name"].as_str().unwrap();
        let spent = usage(&researcher["spending"]["tokens"]);
        team += spent;
        let all = ["answered", "cut", "failed", "unknown", "crashed"];
        assert_eq!(transcribed(out, name, &all), spent, "{name}");
        // A price that says nothing of the cache means that its tokens cost like any other.
        let read = spent.input + spent.cache_read + spent.cache_write;
        let dollars = (read as f64 * 3.0 + spent.output as f64 * 15.0) / 1e6;
        assert!((researcher["spending"]["usd"].as_f64().unwrap() - dollars).abs() < 1e-6, "{researcher}");

        let asked: Vec<Asked> = endpoint.asked().into_iter().filter(|asked| asked.caller == name).collect();
        let met = faults.met(name);
        assert_eq!(asked.len(), met.len(), "{name}");
        let whole = billed(&asked, &met, |fault| matches!(fault, None | Some(Fault::Broken)));
        assert_eq!(transcribed(out, name, &["answered"]), whole, "{name}: what was answered costs what was billed");
        let (charged, cut) =
            (transcribed(out, name, &["cut"]), billed(&asked, &met, |fault| fault == Some(Fault::Cut)));
        assert!(charged.total() >= cut.total() && charged.output >= cut.output, "{name}: {charged:?} {cut:?}");
        assert_eq!(transcribed(out, name, &["failed"]), Usage::default(), "{name}: a failure costs nothing");
        let hung = met.iter().filter(|met| **met == Some(Fault::Hung)).count();
        let unknown = transcribed(out, name, &["unknown"]).total();
        assert_eq!(unknown > 0, hung > 0, "{name}: what hung is charged at its worst");
    }
    assert_eq!(usage(&result["spending"]["tokens"]), team);
}

/// Rows that are not ranked are on their author's account, and all on the team's.
pub fn cheating_is_counted(result: &Value) {
    let mut team = 0;
    for researcher in result["researchers"].as_array().unwrap() {
        let own = |row: &&Value| row["by"] == researcher["name"] && row["rung"] == "graded" && row["mark"].is_string();
        let marked = result["leaderboard"].as_array().unwrap().iter().filter(own).count();
        assert_eq!(researcher["cheating"], serde_json::json!({"decoys": 0, "marked": marked}), "{researcher}");
        assert!(researcher["cpu_s"].as_f64().unwrap() > 0.0, "{researcher}");
        team += marked;
    }
    assert_eq!(result["cheating"], serde_json::json!({"decoys": 0, "marked": team}));
}

pub fn the_key_is_nowhere(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            the_key_is_nowhere(&path);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{}", path.display());
        }
    }
}

/// Wherever others read the hostile post, a fence stood around it, and the system prompt never held it.
pub fn hostile_words_are_fenced(endpoint: &Endpoint) {
    let mut read = 0;
    for asked in endpoint.asked() {
        assert!(!asked.request.system.contains(HOSTILE));
        if asked.caller == "thinker-3" {
            continue;
        }
        for block in asked.request.messages.iter().flat_map(|message| &message.blocks) {
            if let Block::Text { text } | Block::ToolResult { text, .. } = block
                && let Some(at) = text.find(HOSTILE)
            {
                assert!(text[..at].contains("<<untrusted") && text[..at].ends_with("| "), "{}: {text}", asked.caller);
                read += 1;
            }
        }
    }
    assert!(read > 0, "somebody read it");
}
