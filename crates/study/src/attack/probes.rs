//! Attacks on what stands around the grader: bodies, names, paths, tokens. Each says what it tried and what that gave away.
//!
//! What must be refused costs nothing where it is; it can be tried on any study, with a participant's token. What is taken, charged
//! and must have no other effect is in `charged`.

use super::wire::{Answer, Request, Wire};
use crate::error::StudyError;
use aar_api::paths;
use serde::Serialize;
use serde_json::{Value, json};

/// What one attack came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Probe {
    /// The attack.
    pub attack: &'static str,
    /// Requests.
    pub tried: usize,
    /// What was given away; nothing where the promise holds.
    pub given_away: Vec<String>,
}

/// A participant of a study, and its attacks so far.
pub struct Intruder<'a> {
    wire: &'a Wire,
    token: String,
    contract: String,
    name: String,
    probes: Vec<Probe>,
}

impl<'a> Intruder<'a> {
    /// Look who one is, and what the study takes.
    pub fn arrive(wire: &'a Wire, token: &str) -> Result<Self, StudyError> {
        let ask = |path: &str| -> Result<Value, StudyError> {
            let answer = send(wire, &Request::get(path, token))?;
            match answer.done() {
                true => Ok(answer.json()),
                false => Err(StudyError::Attacked(format!("{path} answered {}: {}", answer.status, words(&answer)))),
            }
        };
        let (me, study) = (ask(paths::ME)?, ask(paths::STUDY)?);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if me["role"] != "researcher" {
            return Err(StudyError::Attacked("the token of a researcher is needed".into()));
        }
        let (name, contract) = (text(&me["name"]), text(&study["contract"]));
        Ok(Self { wire, token: token.into(), contract, name, probes: vec![] })
    }

    /// Everything that must be refused, and a look whether it had an effect all the same.
    pub fn refused(mut self) -> Result<Vec<Probe>, StudyError> {
        let before = self.standing()?;
        self.bodies()?;
        self.values()?;
        self.confusion()?;
        self.traversal()?;
        self.forgery()?;
        self.tokens()?;
        let after = self.standing()?;
        let given_away = if before == after { vec![] } else { vec![format!("{before} became {after}")] };
        self.probes.push(Probe { attack: "effects of what was refused", tried: 2, given_away });
        Ok(self.probes)
    }

    /// What refusals must not change: evaluations used, own evaluations. (The board may change by what others do.)
    fn standing(&self) -> Result<Value, StudyError> {
        let me = send(self.wire, &Request::get(paths::ME, &self.token))?.json();
        let own = send(self.wire, &Request::get(paths::EVALUATIONS, &self.token))?.json();
        Ok(json!({"used": me["evaluations_used"], "own": own.as_array().map(Vec::len)}))
    }

    fn attack(&mut self, attack: &'static str, requests: Vec<(String, Request)>) -> Result<(), StudyError> {
        let mut probe = Probe { attack, tried: requests.len(), given_away: vec![] };
        for (what, request) in requests {
            let answer = send(self.wire, &request)?;
            if answer.done() || answer.status >= 500 {
                probe.given_away.push(format!("{what}: {} {}", answer.status, words(&answer)));
            }
        }
        self.probes.push(probe);
        Ok(())
    }

    fn post(&self, what: &str, path: &str, body: impl Into<Vec<u8>>) -> (String, Request) {
        (what.to_owned(), Request::post(path, &self.token, body))
    }

    fn get(&self, path: &str) -> (String, Request) {
        (path.to_owned(), Request::get(path, &self.token))
    }

    /// Where this study takes submissions.
    fn door(&self) -> &'static str {
        if self.contract == "predictions" { paths::PREDICTIONS } else { paths::EVALUATIONS }
    }

    fn bodies(&mut self) -> Result<(), StudyError> {
        let file = |path: &str, hex: &str| json!({"path": path, "executable": false, "hex": hex});
        let bundle = |files: Vec<Value>| json!({ "files": files }).to_string();
        let many = (0..257).map(|at| file(&format!("f{at}"), "")).chain([file("recipe.toml", "")]).collect();
        let predictions =
            |answers: usize| json!({"answers": vec![1; answers], "name": "n", "key": "probe"}).to_string();
        let mut requests = vec![
            self.post("nothing", self.door(), ""),
            self.post("half an object", self.door(), "{\"answers\":[1,"),
            self.post("a list", self.door(), "[]"),
            self.post("a hundred thousand brackets", self.door(), "[".repeat(100_000)),
            self.post("21 MiB", self.door(), vec![b' '; 21 << 20]),
            self.post("bytes that are no text", self.door(), vec![0xff; 64]),
            self.post("a bundle without files", paths::BUNDLES, bundle(vec![])),
            self.post("257 files", paths::BUNDLES, bundle(many)),
            self.post("9 MiB in a bundle", paths::BUNDLES, bundle(vec![file("recipe.toml", &"00".repeat(9 << 20))])),
            self.post("half a byte", paths::BUNDLES, bundle(vec![file("recipe.toml", "0")])),
            self.post("a file twice", paths::BUNDLES, bundle(vec![file("recipe.toml", ""), file("recipe.toml", "00")])),
            self.post(
                "a file that is a folder",
                paths::BUNDLES,
                bundle(vec![file("recipe.toml", ""), file("recipe.toml/x", "")]),
            ),
            self.post("a script that can't be run", paths::BUNDLES, bundle(vec![file("train", "00")])),
        ];
        for answers in [0, 1, 2, 100_000] {
            requests.push(self.post(&format!("{answers} answers"), paths::PREDICTIONS, predictions(answers)));
        }
        self.attack("wrong lengths and huge bodies", requests)
    }

    fn values(&mut self) -> Result<(), StudyError> {
        let values =
            ["NaN", "Infinity", "-Infinity", "1e999", "-1", "2", "256", "null", "0.5", "\"1\"", "true", "[1]", "{}"];
        let mut requests = Vec::new();
        for value in values {
            let body = format!("{{\"answers\":[{value}],\"name\":\"n\",\"key\":\"probe\"}}");
            requests.push(self.post(value, paths::PREDICTIONS, body));
            let margins = format!(
                "{{\"margins\":[{value}],\"usage\":{{\"train_operations\":0,\"train_cpu_ms\":0,\"predict_cpu_ms\":0,\"wall_ms\":0}}}}"
            );
            requests.push(self.post(value, &paths::OUTPUTS.replace("{id}", "1"), margins));
        }
        self.attack("infinity, NaN and abstentions", requests)
    }

    fn confusion(&mut self) -> Result<(), StudyError> {
        let submission = json!({"bundle": "0".repeat(64), "name": "n", "family": "other", "key": "probe"});
        let mut requests = vec![
            self.post("a bundle that was not stored", paths::EVALUATIONS, submission.to_string()),
            self.post("a split of one's own", "/v1/evaluations/selection", submission.to_string()),
            self.post("the board as a door", paths::LEADERBOARD, submission.to_string()),
            self.get("/v1/items/selection"),
            self.get("/v1/items/feedback"),
            self.get("/v1/testbed"),
            self.get("/v1/study/selection"),
        ];
        if self.contract == "predictions" {
            let bundle = json!({"bundle": "0".repeat(64), "name": "n", "family": "other", "key": "probe"});
            requests.push(self.post("a bundle in a study of predictions", paths::EVALUATIONS, bundle.to_string()));
        } else {
            requests.push(self.get(paths::ITEMS));
            let answers = json!({"answers": [1], "name": "n", "key": "probe"});
            requests.push(self.post("answers in a study of bundles", paths::PREDICTIONS, answers.to_string()));
        }
        self.attack("split and dataset confusion", requests)
    }

    fn traversal(&mut self) -> Result<(), StudyError> {
        let mut requests: Vec<(String, Request)> = [
            "/v1/bundles/../../study.db",
            "/v1/bundles/..%2f..%2fstudy.db",
            "/v1/bundles/%2e%2e%2f%2e%2e%2fkey",
            "/v1/bundles/%2fetc%2fpasswd",
            "/v1/bundles/%00",
            "/v1/bundles/..%5c..%5ckey",
            "/v1/../key",
            "//etc/passwd",
            "/key",
            "/study.db",
            "/study.heads",
            "/hidden",
            "/v1/evaluations/-1",
            "/v1/evaluations/0",
            "/v1/evaluations/9223372036854775807",
            "/v1/evaluations/99999999999999999999",
            "/v1/evaluations/1e0",
            "/v1/findings/-1/comments",
            "/v1/findings/0/comments",
            "/v1/findings/%2e%2e/comments",
            "/v1/turn/-1",
            "/v1/turn/4294967296",
            "http://169.254.169.254/latest",
        ]
        .map(|path| self.get(path))
        .into();
        let long = "a/".repeat(120) + "a";
        for path in [
            "../x",
            "/etc/x",
            "a/../../x",
            "..",
            ".",
            "",
            "a//b",
            "a/",
            "a\\..\\x",
            "a b",
            "a\0b",
            "a\nb",
            "\u{202e}x",
            "ä",
            &long,
        ] {
            let files = json!([{"path": "recipe.toml", "hex": ""}, {"path": path, "hex": "00"}]);
            let body = json!({ "files": files }).to_string();
            requests.push(self.post(&format!("a member {path:?}"), paths::BUNDLES, body));
        }
        self.attack("path traversal", requests)
    }

    fn forgery(&mut self) -> Result<(), StudyError> {
        let finding = |more: Value| {
            let mut finding = json!({"kind": "result", "title": "42", "body": "b", "key": "probe"});
            finding
                .as_object_mut()
                .into_iter()
                .for_each(|fields| fields.extend(more.as_object().cloned().unwrap_or_default()));
            finding.to_string()
        };
        let usage = json!({"train_operations": 0, "train_cpu_ms": 0, "predict_cpu_ms": 0, "wall_ms": 0});
        let outputs = json!({"margins": [1.0], "usage": usage}).to_string();
        let requests = vec![
            self.post("a result without an evaluation", paths::FINDINGS, finding(json!({}))),
            self.post("a result of the baseline", paths::FINDINGS, finding(json!({"evaluation": 1}))),
            self.post("a result of nobody", paths::FINDINGS, finding(json!({"evaluation": -1}))),
            self.post("a worker's job", paths::CLAIM, json!({"worker": "w", "wait_ms": 0}).to_string()),
            self.post("margins of the baseline", &paths::OUTPUTS.replace("{id}", "1"), outputs),
            self.post(
                "the baseline's failure",
                &paths::FAILURE.replace("{id}", "1"),
                json!({"reason": "r"}).to_string(),
            ),
            self.post("the baseline's heartbeat", &paths::HEARTBEAT.replace("{id}", "1"), "{}"),
            self.post(
                "more evaluations",
                paths::INSTRUCTIONS,
                json!({"researcher": self.name, "instruction": {"do": "budget", "evaluations": 100}}).to_string(),
            ),
            self.post("the close", paths::INSTRUCTIONS, json!({"instruction": {"do": "close"}}).to_string()),
            self.post(
                "a second name",
                paths::PARTICIPANTS,
                json!({"name": "sybil", "kind": "human", "evaluations": 100}).to_string(),
            ),
            self.post(
                "a reserved name",
                paths::PARTICIPANTS,
                json!({"name": "plain", "kind": "human", "evaluations": 1}).to_string(),
            ),
            self.get(paths::PARTICIPANTS),
            self.get("/v1/evaluations/1"),
        ];
        self.attack("forged metrics, names and baselines", requests)
    }

    fn tokens(&mut self) -> Result<(), StudyError> {
        use sha2::{Digest, Sha256};
        let own = self.token.clone();
        let hash = hex::encode(Sha256::digest(&own));
        let with = |what: &str, headers: Vec<String>| {
            (what.to_owned(), Request { method: "GET", target: paths::ME.into(), headers, body: vec![] })
        };
        let one = |what: &str, value: String| with(what, vec![format!("authorization: {value}")]);
        let mut requests = vec![
            with("no token", vec![]),
            one("an empty token", "Bearer ".into()),
            one("another scheme", format!("Basic {own}")),
            one("no scheme", own.clone()),
            one("a token and a half", format!("Bearer {own}0")),
            one("half a token", format!("Bearer {}", &own[..own.len() / 2])),
            one("capitals", format!("Bearer {}", own.to_ascii_uppercase().replace(&own, "x"))),
            one("the hash that the log keeps", format!("Bearer {hash}")),
            one("a text for a database", "Bearer ' OR 1=1 --".into()),
            with("a cookie", vec![format!("cookie: aar={own}; token={own}; session={own}")]),
            with("a name", vec![format!("x-aar-researcher: {}", self.name)]),
            with(
                "an unknown token before one's own",
                vec!["authorization: Bearer x".into(), format!("authorization: Bearer {own}")],
            ),
        ];
        let target = format!("{}?token={own}&authorization=Bearer%20{own}", paths::ME);
        requests.push(("in the address".into(), Request { method: "GET", target, headers: vec![], body: vec![] }));
        self.attack("stolen and made-up tokens", requests)
    }
}

pub(super) fn send(wire: &Wire, request: &Request) -> Result<Answer, StudyError> {
    wire.send(request).map_err(|error| StudyError::Attacked(format!("{}: {error}", request.target)))
}

/// The beginning of what an answer says.
pub(super) fn words(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).chars().take(120).collect()
}
