//! A served study: somebody joins with a token, works through the API alone, is paused, messaged, graded, and the operator closes.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// The smallest study that goes through every phase, with nobody of its own.
const SMALL: &[&str] = &[
    "researchers=[]",
    "evaluation.seeds=1",
    "evaluation.baselines=[\"plain\"]",
    "close.finalists=1",
    "close.seeds=2",
    "close.integrity=none",
];

struct Bench {
    dir: tempfile::TempDir,
    env: Vec<(&'static str, String)>,
}

impl Bench {
    fn out(&self) -> PathBuf {
        self.dir.path().join("served")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aar"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        command.args(args).envs(self.env.iter().cloned());
        command
    }

    fn call(&self, args: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (status.code().unwrap_or(-1), text(stdout), text(stderr))
    }

    fn ctl(&self, args: &[&str]) -> Value {
        let out = self.out();
        let all = [&["ctl"], args, &["--out", out.to_str().unwrap(), "--json"]].concat();
        let (code, stdout, stderr) = self.call(&all);
        assert_eq!(code, 0, "{args:?}: {stderr}");
        serde_json::from_str(&stdout).unwrap()
    }
}

/// Until `done` gives something; fails where the study ends first.
fn until<T>(study: &mut Child, what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    for _ in 0..4000 {
        if let Some(found) = done() {
            return found;
        }
        assert!(study.try_wait().unwrap().is_none(), "the study ended before {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited in vain for {what}")
}

#[test]
fn somebody_joins_a_served_study_and_is_graded_like_everybody() {
    let mut bench = Bench { dir: tempfile::tempdir().unwrap(), env: vec![] };
    let out = bench.out();
    let out = out.to_str().unwrap();
    let mut args = vec!["serve", "--quiet", "--json", "--out", out];
    for set in SMALL {
        args.extend(["--set", set]);
    }
    let (code, _, stderr) = bench.call(&["ctl", "list", "--out", out]);
    assert!(code == 64 && stderr.contains("no study is running"), "{stderr}");
    let mut study = bench.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    until(&mut study, "the operator's door", || bench.out().join("operator.json").exists().then_some(()));

    let (code, stdout, stderr) = bench.call(&["token", "add", "visitor", "--evaluations", "1", "--out", out, "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let joined: Value = serde_json::from_str(&stdout).unwrap();
    for (variable, field) in [("AAR_API", "api"), ("AAR_TOKEN", "token"), ("AAR_DATA", "data")] {
        bench.env.push((variable, joined[field].as_str().unwrap().to_owned()));
    }
    let (code, recipe, _) = bench.call(&["lab", "recipes", "confident"]);
    assert_eq!(code, 0);
    let path = bench.dir.path().join("recipe.toml");
    std::fs::write(&path, recipe).unwrap();
    let submit = ["lab", "submit", path.to_str().unwrap()];

    // Paused from the start, so that it is refused whenever the baselines are done.
    assert_eq!(bench.ctl(&["pause", "visitor"])[0]["state"], "paused");
    let refusal = until(&mut study, "the end of the baselines", || {
        let (code, _, stderr) = bench.call(&submit);
        assert_eq!(code, 75, "{stderr}");
        stderr.contains("paused").then_some(stderr)
    });
    assert!(refusal.contains("hint"), "{refusal}");
    bench.ctl(&["say", "visitor", "--text", "go on"]);
    bench.ctl(&["resume", "--all"]);
    let (code, _, stderr) = bench.call(&submit);
    assert_eq!(code, 0, "{stderr}");
    until(&mut study, "the evaluation", || {
        let member = &bench.ctl(&["list"])[0];
        (member["open"] == 0 && member["evaluations_used"] == 1).then_some(())
    });
    bench.ctl(&["close"]);
    let output = study.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = result["leaderboard"].as_array().unwrap().iter().find(|row| row["by"] == "visitor").unwrap();
    assert_eq!((&row["kind"], &row["rung"]), (&"human".into(), &"replicated".into()), "{row}");
    assert_eq!(result["budgets_changed"], false);
    assert!(!bench.out().join("operator.json").exists(), "the door is shut");
}

/// A study of predictions from its file to its result, attacked in between by one of its own participants.
#[test]
fn answers_to_items_that_are_handed_out_are_graded_and_replicated() {
    let mut bench = Bench { dir: tempfile::tempdir().unwrap(), env: vec![] };
    let out = bench.out();
    let out = out.to_str().unwrap();
    let mut args = vec!["serve", "--quiet", "--json", "--out", out, "--set", "contract=predictions"];
    for set in SMALL {
        args.extend(["--set", set]);
    }
    let mut study = bench.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    until(&mut study, "the operator's door", || bench.out().join("operator.json").exists().then_some(()));
    let (code, stdout, stderr) = bench.call(&["token", "add", "visitor", "--evaluations", "2", "--out", out, "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let joined: Value = serde_json::from_str(&stdout).unwrap();
    let text = |field: &str| joined[field].as_str().unwrap().to_owned();
    let (api, token) = (text("api"), text("token"));
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let items: Vec<Value> = client.get(format!("{api}/v1/items")).bearer_auth(&token).send().unwrap().json().unwrap();
    let body = serde_json::json!({"answers": vec![1; items.len()], "name": "always the first", "key": "a"});
    let view: Value = until(&mut study, "the end of the baselines", || {
        let answer = client.post(format!("{api}/v1/predictions")).bearer_auth(&token).json(&body).send().unwrap();
        answer.status().is_success().then(|| answer.json().unwrap())
    });
    assert_eq!(view["status"], "done");
    assert!(view["feedback"]["pgr"].is_number(), "{view}");

    let (code, _, stderr) = bench.call(&["attack", "--study", out]);
    assert!(code == 64 && stderr.contains("AAR_TOKEN"), "{stderr}");
    bench.env.push(("AAR_TOKEN", token));
    let (code, stdout, stderr) = bench.call(&["attack", "--study", out, "--json"]);
    assert_eq!(code, 0, "{stdout} {stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert!(report["holds"] == true && report["probes"].as_array().unwrap().len() >= 7, "{report}");

    bench.ctl(&["close"]);
    let output = study.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = result["leaderboard"].as_array().unwrap().iter().find(|row| row["by"] == "visitor").unwrap();
    assert_eq!(row["rung"], "replicated", "{row}");
}

/// A human is a researcher of the study file: a token, the bench, the same budget, a row on the board. The study waits, and ends by itself.
#[test]
fn a_human_of_the_study_file_works_by_the_bench_and_is_graded() {
    let mut bench = Bench { dir: tempfile::tempdir().unwrap(), env: vec![] };
    let out = bench.out();
    let out = out.to_str().unwrap();
    let mut args = vec!["run", "--quiet", "--json", "--out", out];
    let human = "researchers=[{name=\"ida\",kind=\"human\",evaluations=1}]";
    for set in SMALL[1..].iter().chain([&human]) {
        args.extend(["--set", set]);
    }
    let mut study = bench.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    until(&mut study, "the operator's door", || bench.out().join("operator.json").exists().then_some(()));
    let (code, _, stderr) = bench.call(&["token", "show", "ada", "--out", out]);
    assert!(code == 64 && stderr.contains("it names ida"), "{code} {stderr}");
    let (code, stdout, stderr) = bench.call(&["token", "show", "ida", "--out", out]);
    assert!(code == 0 && stderr.contains("ida has 1 evaluations"), "{stderr}");
    // As a shell would take them.
    for (line, variable) in stdout.lines().zip(["AAR_API", "AAR_TOKEN", "AAR_DATA"]) {
        let value = line.strip_prefix(&format!("export {variable}=")).unwrap_or_else(|| panic!("{line}"));
        bench.env.push((variable, value.to_owned()));
    }
    until(&mut study, "the end of the baselines", || {
        let (code, _, stderr) = bench.call(&["lab", "submit", "confident"]);
        assert!(code == 0 || code == 75, "{stderr}");
        (code == 0).then_some(())
    });
    let (code, _, stderr) = bench.call(&["lab", "submit", "plain-soft"]);
    assert!(code != 0 && stderr.contains("evaluations"), "the budget holds for a human too: {stderr}");
    let output = study.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "it ends without being told to");
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = result["leaderboard"].as_array().unwrap().iter().find(|row| row["by"] == "ida").unwrap();
    assert_eq!((&row["kind"], &row["rung"]), (&"human".into(), &"replicated".into()), "{row}");
    let ida = &result["researchers"][0];
    assert_eq!((&ida["kind"], &ida["evaluations"]), (&"human".into(), &1.into()), "{ida}");
    assert_eq!(result["budgets_changed"], false);
}

#[test]
fn a_study_without_researchers_is_only_served() {
    let bench = Bench { dir: tempfile::tempdir().unwrap(), env: vec![] };
    let out = bench.out();
    let (code, _, stderr) = bench.call(&["run", "--set", "researchers=[]", "--out", out.to_str().unwrap()]);
    assert!(code == 65 && stderr.contains("aar serve"), "{code} {stderr}");
    assert!(!out.exists(), "nothing was written");
}
