//! Running the calls of an answer: each gets exactly one result, whatever the model made of it.

use super::{End, Session};
use crate::arguments::Arguments;
use crate::events::Event;
use crate::fence::one_line;
use crate::heartbeat::Doing;
use crate::repetition::key;
use crate::tools::{Run, Tool, Wrong, find};
use aar_llm::conversation::{Block, Reply};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A call as the model made it.
pub(super) struct Call {
    id: String,
    name: String,
    arguments: Value,
}

/// Tools whose success means that a session did something.
const PRODUCTIVE: &[&str] =
    &["shell", "write_file", "edit_file", "try_recipe", "submit", "evaluate_predictions", "share_finding", "comment"];
/// `wait` may be called again more often than others: an evaluation can take hours.
const PATIENCE: usize = 8;
/// What is looked at again after a `wait` is no repetition yet: others may have done something.
const AFTER_A_REST: usize = 4;

impl Session<'_> {
    /// An answer as it may stand in the conversation (ids unique, names and arguments as providers want them back, no blank text), and
    /// its calls as they were made.
    pub(super) fn cleaned(&mut self, reply: &Reply) -> (Vec<Block>, Vec<Call>) {
        let (mut blocks, mut calls) = (Vec::new(), Vec::new());
        for block in &reply.blocks {
            match block {
                Block::ToolCall { id, name, arguments } => {
                    let id = self.unique(id);
                    blocks.push(Block::ToolCall {
                        id: id.clone(),
                        name: plain_name(name),
                        arguments: as_object(arguments),
                    });
                    calls.push(Call { id, name: name.clone(), arguments: arguments.clone() });
                }
                Block::Text { text } if text.trim().is_empty() => {}
                Block::ToolResult { .. } => {}
                block => blocks.push(block.clone()),
            }
        }
        (blocks, calls)
    }

    /// The provider's id, or one of ours where a careless endpoint gives none, an odd one, or the same again.
    fn unique(&mut self, id: &str) -> String {
        let plain =
            !id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        let mut unique = id.to_owned();
        while (!plain && unique == id) || !self.ids.insert(unique.clone()) {
            self.calls += 1;
            unique = format!("aar_{}_{}", self.number, self.calls);
        }
        unique
    }

    pub(super) fn run_calls(&mut self, calls: &[Call]) -> Vec<Block> {
        let most = self.bench.platform.settings.limits.calls_per_answer;
        let mut results = Vec::with_capacity(calls.len());
        for (at, call) in calls.iter().enumerate() {
            let skipped = if self.bench.finished.is_some() || self.end.is_some() {
                Some("Not run: the session ends here.".to_owned())
            } else if at >= most {
                Some(format!(
                    "Not run: at most {most} calls of one answer are run; {} came. Call it again.",
                    calls.len()
                ))
            } else {
                None
            };
            let outcome = skipped.map_or_else(|| self.call(call), |text| Err(Wrong(text)));
            let (text, is_error) = match outcome {
                Ok(text) => (text, false),
                Err(Wrong(text)) => (text, true),
            };
            results.push(Block::ToolResult { id: call.id.clone(), text, is_error });
        }
        results
    }

    fn call(&mut self, call: &Call) -> Result<String, Wrong> {
        let key = key(&call.name, &call.arguments);
        if let Some(refusal) = self.refusal(call, &key) {
            self.repetition.note(&key, None);
            let tool = one_line(&call.name, 64);
            self.events.say(&Event::Refused { session: self.number, tool, why: refusal.clone() });
            return Err(Wrong(refusal));
        }
        let began = Instant::now();
        let outcome = self.checked(call).and_then(|(tool, arguments)| self.run_tool(tool, &arguments));
        let most = self.bench.platform.settings.limits.result_chars + 4000;
        let platform = &self.bench.platform;
        let cap = |text: &str| platform.hush(crate::cap::cap(text, most, "Ask for less at a time to see the rest."));
        let outcome = outcome.map(|text| cap(&text)).map_err(|Wrong(text)| Wrong(cap(&text)));
        let (Ok(text) | Err(Wrong(text))) = &outcome;
        self.repetition.note(&key, Some(text));
        if call.name == "wait" && outcome.is_ok() {
            self.repetition.rest();
        }
        let answer = outcome.as_deref().map_err(|Wrong(text)| text.as_str());
        let called = Event::tool_called(self.number, platform, &call.name, &call.arguments, answer, began);
        self.events.say(&called);
        outcome
    }

    /// What a call gets to hear that came too often without news; the session ends where words do not help.
    fn refusal(&mut self, call: &Call, key: &str) -> Option<String> {
        let limits = &self.bench.platform.settings.limits;
        let seen = self.repetition.seen(key);
        let patience = match call.name.as_str() {
            "wait" => PATIENCE,
            _ if self.repetition.rested(key) => AFTER_A_REST,
            _ => 1,
        };
        if seen >= limits.same_call_ends * patience {
            self.end = Some(End::Repetition(one_line(&call.name, 64)));
        }
        (seen >= limits.same_call_refused * patience).then(|| {
            format!(
                "Not run: you made this very call {seen} times and nothing new came of it. Do something else: use what it told you, \
                 change the arguments, or wait for something to happen with `wait`."
            )
        })
    }

    /// The tool and its arguments, or what is right. Too many mistakes in a row end the session.
    fn checked(&mut self, call: &Call) -> Result<(&'static Tool, Arguments), Wrong> {
        let checked = find(&call.name)
            .and_then(|tool| Ok((tool, Arguments::check(tool.fields, &call.arguments).map_err(Wrong)?)));
        self.misused = if checked.is_ok() { 0 } else { self.misused + 1 };
        if self.misused >= self.bench.platform.settings.limits.failing_calls {
            self.end = Some(End::Misuse);
        }
        checked
    }

    fn run_tool(&mut self, tool: &'static Tool, arguments: &Arguments) -> Result<String, Wrong> {
        let asked = arguments.number("seconds");
        let most = match tool.doing {
            Doing::Waiting => Duration::from_secs(asked.unwrap_or(1800).unsigned_abs()),
            _ => self.bench.platform.limit(asked, 900),
        };
        self.bench.heartbeat.now(tool.doing, tool.name, most + Duration::from_secs(120));
        let outcome = match tool.run {
            Run::Platform(run) => run(&self.bench.platform, arguments),
            Run::Local(run) => run(self.bench, arguments),
        };
        self.productive |= outcome.is_ok() && PRODUCTIVE.contains(&tool.name);
        outcome.map(|answer| answer.text)
    }
}

/// A name that a provider takes back: letters, digits, `_`, `-`, 1 to 64.
fn plain_name(name: &str) -> String {
    let plain = name.chars().take(64).map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' });
    let plain: String = plain.collect();
    if plain.is_empty() { "unnamed".to_owned() } else { plain }
}

/// Arguments that a provider takes back: an object. What was none is kept within one, shortened.
fn as_object(arguments: &Value) -> Value {
    match arguments {
        Value::Object(_) => arguments.clone(),
        Value::Null => json!({}),
        Value::String(text) => serde_json::from_str::<serde_json::Map<String, Value>>(text)
            .map_or_else(|_| json!({"unparsed": one_line(text, 400)}), Value::Object),
        other => json!({"unparsed": one_line(&other.to_string(), 400)}),
    }
}
