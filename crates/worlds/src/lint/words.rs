//! Texts as words, and an answer's last line.

/// Lower-case runs of letters and digits.
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// A text without case, punctuation and spacing: what is the same to a reader.
pub fn normal(text: &str) -> String {
    words(text).join(" ")
}

/// The final answer of a worked solution, by the marks that data sets use: `#### 12`, `\boxed{12}`, `The answer is: 12`.
pub fn final_answer(solution: &str) -> Option<String> {
    let after = |mark: &str| solution.rfind(mark).map(|at| &solution[at + mark.len()..]);
    let line = |text: &str| text.lines().next().unwrap_or_default().trim().trim_end_matches('.').to_owned();
    let found = if let Some(rest) = after("####") {
        line(rest)
    } else if let Some(rest) = after("The answer is:") {
        line(rest)
    } else {
        let rest = after("\\boxed{")?;
        let mut depth = 1;
        let end = rest.find(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        })?;
        rest[..end].trim().to_owned()
    };
    let number = found.replace([',', '$'], "");
    Some(if number.parse::<f64>().is_ok() { number } else { found }).filter(|answer| !answer.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_by_the_usual_marks() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(final_answer(text).as_deref(), expect, "{text}");
        check("so 3*4=12\n#### 1,012", Some("1012"));
        check("it is $\\boxed{\\frac{1}{2}}$ indeed", Some("\\frac{1}{2}"));
        check("x. The answer is: 0.5.", Some("0.5"));
        check("def f(): return 1", None);
    }
}
