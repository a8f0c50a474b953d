//! The commands that make these numbers again.

use crate::plan::Plan;
use maud::{Markup, html};

/// The section.
pub fn section(plan: &Plan) -> Markup {
    html! {
        section {
            h2 { "How to get these numbers again" }
            p { "Every number of this page, from the answers that the log keeps (DIR is the study's directory):" }
            pre { "aar report DIR          # this page\naar regrade DIR         # computes all of it and compares, to the last bit\naar audit verify DIR    # whether the log is what it was" }
            p { "The whole study from nothing, with the same seeds where the testbed is a demonstration, with other ones where its key is the operating system's:" }
            pre { (run(plan)) }
            p.note { "Times and costs differ from machine to machine; scores do not, on one kind of processor. A study named in " code { "testbed" } " by a folder needs that folder." }
        }
    }
}

/// To be pasted into a shell.
pub fn run(plan: &Plan) -> String {
    format!("cat > study.toml <<'END'\n{}END\naar run --study study.toml --out again", study_file(plan))
}

/// The study as it was run, all settings made.
pub fn study_file(plan: &Plan) -> String {
    toml::to_string(plan).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::LAPTOP;

    #[test]
    fn the_study_file_is_the_study() {
        for (quick, sets) in [(false, vec![]), (true, vec!["close.seeds=4".to_owned(), "seed=9".to_owned()])] {
            let plan = Plan::read(LAPTOP, "laptop.toml", quick, &sets).unwrap();
            let again = Plan::read(&study_file(&plan), "study.toml", false, &[]).unwrap();
            assert_eq!(again.hash(), plan.hash());
            assert!(run(&plan).ends_with("END\naar run --study study.toml --out again"));
        }
    }
}
