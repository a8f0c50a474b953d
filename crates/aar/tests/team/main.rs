//! A whole study of nine researchers with a language model, against a scripted one: from the study file to the accounts. The
//! endpoint fails in every way that real ones do, all the while.

#![allow(clippy::print_stdout)]

mod accounts;
mod answers;
mod faults;
mod guest;
mod policy;
mod spans;
mod weak;

use aar_scripted::collector::Collector;
use aar_scripted::endpoint::Endpoint;
use faults::Faults;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

const KEY: &str = "the-key-that-no-sandbox-may-see";
/// A call that is not answered for so long hangs. The endpoint answers at once, also on a busy machine.
const HUNG_S: u32 = 20;

fn study_file(url: &str, collector: &str) -> String {
    let model = |wire: &str| {
        format!(
            "[models.{wire}]\nprovider = \"{url}\"\nmodel = \"scripted-{wire}\"\nwire = \"{wire}\"\nkey_env = \"AAR_TEST_KEY\"\n\
             price = {{ input = 3.0, output = 15.0 }}\nanswer_timeout_s = {HUNG_S}\n"
        )
    };
    let researcher = |at: usize| {
        let wire = ["messages", "chat", "responses"][at % 3];
        format!(
            "[[researchers]]\nname = \"thinker-{at}\"\nkind = \"language-model\"\nmodel = \"{wire}\"\nevaluations = 2\n"
        )
    };
    let models: String = ["messages", "chat", "responses"].map(model).concat();
    let researchers: String = (1..=9).map(researcher).collect();
    format!(
        "name = \"scripted team\"\ntestbed = \"harbour\"\n[team]\nhours = 0.5\nusd = 40.0\nusd_each = 4.0\n[evaluation]\nseeds = 1\n\
         baselines = [\"plain\"]\n[close]\nfinalists = 2\nseeds = 2\nintegrity = \"none\"\n[telemetry]\notlp = \"{collector}\"\n{models}{researchers}"
    )
}

fn aar(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aar"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    command.args(args);
    command
}

/// The study's only model, at an endpoint of ours.
fn model(url: &str) -> String {
    format!("[models.m]\nprovider = \"{url}\"\nmodel = \"scripted\"\nwire = \"messages\"\nkey_env = \"AAR_TEST_KEY\"\n")
}

/// Run a study file in `dir`, which has the key in its environment; what it said, and where it is.
fn run(dir: &Path, study: &str) -> (Output, PathBuf) {
    let (file, out) = (dir.join("study.toml"), dir.join("study"));
    std::fs::write(&file, study).unwrap();
    let args = ["run", "--json", "--quiet", "--study", file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    (aar(&args).env("AAR_TEST_KEY", KEY).output().unwrap(), out)
}

fn confined() -> bool {
    let works = aar_sandbox::Isolation::detect().backend == aar_sandbox::Backend::Namespaces;
    if !works {
        println!("skipped: no namespaces here, and a language model's code is not run without");
    }
    works
}

#[test]
fn nine_researchers_read_try_submit_share_and_build_on_each_other() {
    if !confined() {
        return;
    }
    let faults = Arc::new(Faults::default());
    let endpoint = {
        let faults = faults.clone();
        Endpoint::start(KEY, move |request, caller| faults.act(request, caller, policy::next)).unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("team.toml");
    let collector = Collector::start().unwrap();
    std::fs::write(&file, study_file(&endpoint.url(), &collector.url())).unwrap();
    let out = dir.path().join("study");
    let args = ["run", "--json", "--quiet", "--study", file.to_str().unwrap(), "--out", out.to_str().unwrap()];

    let said = aar(&args).output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.code() == Some(69) && text.contains("AAR_TEST_KEY is not set"), "{text}");
    assert!(!out.exists(), "said before anything is begun");

    let said = aar(&args).env("AAR_TEST_KEY", KEY).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let result: Value = serde_json::from_slice(&said.stdout).unwrap();
    accounts::work_was_done(&result, &endpoint);
    faults.reached_most(&result);
    accounts::agree(&result, &endpoint, &faults, &out);
    accounts::cheating_is_counted(&result);
    spans::form_trees(&collector, &result);
    accounts::the_key_is_nowhere(&out);
    accounts::hostile_words_are_fenced(&endpoint);
}
