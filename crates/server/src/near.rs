//! Near-duplicates: is a bundle an earlier one over again, handed in for a second draw?
//!
//! Seeds are the server's, so the same recipe gives the same answers, and a recipe that differs in what cannot matter nearly the
//! same. What counts is therefore the answers, not the text: the correlation of margins at the same seeds ([`aar_domain::stats::likeness()`]). A script can draw random
//! numbers of its own; then two runs of one method are as far apart as two methods that hardly differ, and no statistic of answers tells these
//! apart. Such a bundle is tied only where its files are an earlier one's but for numbers *and* the numbers made no difference.

use aar_api::bundle::Bundle;
use aar_domain::stats::Likeness;

/// Correlation of margins from which two bundles ran the same training. Over 5,197 pairs of different recipes, in 13 studies of search
/// researchers, the highest was 0.9983; a learning rate changed by a ten-thousandth gives 1.0000 (`LOG.md`).
pub const SAME_RUN: f64 = 0.999;
/// [`Likeness::systematic`] up to which two bundles differ only as two runs of one method do. Runs again with other random numbers had 0.83 to 1.19.
pub const SAME_METHOD: f64 = 1.25;

/// Share of items answered otherwise in one run beyond which two bundles did not run the same training: at [`SAME_RUN`] it is near 0.014.
const AT_FIRST_LOOK: f64 = 0.1;

/// Whether two runs may be the same training at all.
pub fn may_be_same(a: &[f32], b: &[f32]) -> bool {
    let otherwise = a.iter().zip(b).filter(|&(&a, &b)| (a > 0.0) != (b > 0.0)).count();
    otherwise as f64 <= AT_FIRST_LOOK * a.len() as f64
}

/// Whether both are scripts whose files differ in numbers only.
pub fn is_script_again(first: &Bundle, later: &Bundle) -> bool {
    let script = |bundle: &Bundle| bundle.files.iter().any(|file| file.path == "train");
    script(first) && script(later) && skeleton(first) == skeleton(later)
}

/// Why a bundle is an earlier one over again; `None` where it is not. `script`: [`is_script_again`].
pub fn why(script: bool, found: &Likeness) -> Option<String> {
    let Likeness { correlation, disagreement, systematic } = *found;
    let otherwise = format!("{:.1} % of items answered otherwise", 100.0 * disagreement);
    if correlation >= SAME_RUN {
        return Some(format!(
            "the same training: margins correlate at {correlation:.5} at the same seeds, {otherwise}"
        ));
    }
    systematic.filter(|&systematic| script && systematic <= SAME_METHOD).map(|systematic| {
        format!(
            "the same method run again: its files differ in numbers only, and its answers as two runs of one method do \
             (systematic part {systematic:.2}, at most {SAME_METHOD}; {otherwise})"
        )
    })
}

/// What is left of a bundle without its card, comments, spaces, names and numbers.
fn skeleton(bundle: &Bundle) -> Vec<(String, String)> {
    let kept = bundle.files.iter().filter(|file| file.path != "card.md");
    let mut files: Vec<(String, String)> = kept
        .map(|file| (file.path.clone(), bundle.text(&file.path).map_or_else(|| file.hex.clone(), |text| bones(&text))))
        .collect();
    files.sort();
    files
}

fn bones(text: &str) -> String {
    let says = |line: &&str| {
        let line = line.trim();
        let comment = line.starts_with('#') && !line.starts_with("#!");
        !comment
            && !["name", "family"]
                .iter()
                .any(|key| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')))
    };
    let mut bones = String::new();
    for character in text.lines().filter(says).flat_map(str::chars).filter(|character| !character.is_whitespace()) {
        match character {
            '0'..='9' if bones.ends_with('0') => {}
            '0'..='9' => bones.push('0'),
            other => bones.push(other),
        }
    }
    bones
}

#[cfg(test)]
mod tests {
    use super::*;
    use aar_api::bundle::BundleFile;

    fn script(text: &str) -> Bundle {
        Bundle { files: vec![BundleFile { path: "train".into(), executable: true, hex: hex::encode(text) }] }
    }

    #[test]
    fn numbers_alone_make_no_other_method_of_a_script() {
        let alike = |systematic| Likeness { correlation: 0.8, disagreement: 0.15, systematic: Some(systematic) };
        let first = script("#!/bin/sh\n# my method\necho 12 > /tmp/seed\nlab train --in /tmp\n");
        let again = script("#!/bin/sh\necho  7345 > /tmp/seed\n\nlab train --in /tmp\n");
        let other = script("#!/bin/sh\necho 12 > /tmp/seed\nlab train --recipe probe --in /tmp\n");
        assert!(is_script_again(&first, &again) && !is_script_again(&first, &other));
        assert!(why(true, &alike(1.1)).unwrap().contains("run again"));
        assert_eq!(why(true, &alike(1.6)), None, "numbers that matter");
        assert_eq!(why(false, &alike(1.1)), None);
        let recipes = [Bundle::of_recipe("name = \"a\"\nx = 1"), Bundle::of_recipe("name = \"b\"\nx = 2")];
        assert!(!is_script_again(&recipes[0], &recipes[1]), "a recipe draws no numbers of its own");
        let same = Likeness { correlation: 0.9999, disagreement: 0.001, systematic: None };
        assert!(why(false, &same).unwrap().contains("the same training"));
        assert!(may_be_same(&[1.0; 20], &[1.0; 20]) && !may_be_same(&[1.0; 20], &[-1.0; 20]));
    }
}
