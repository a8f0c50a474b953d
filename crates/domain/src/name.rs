//! What a researcher may be called.

/// Names that mean something else in a study.
pub const RESERVED: [&str; 5] = ["plain", "operator", "baseline", "worker", "viewer"];

/// What is wrong with a name, and what would be right.
pub fn check(name: &str) -> Result<(), String> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if name.is_empty() || name.len() > 32 || !plain {
        return Err(format!("name {name:?} must be 1 to 32 letters, digits and dashes"));
    }
    if RESERVED.contains(&name) {
        return Err(format!("the name {name:?} is taken: {} have a meaning of their own", RESERVED.join(", ")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_are_plain_and_mean_nothing_else() {
        for name in ["a", "thinker-3", &"x".repeat(32)] {
            check(name).unwrap();
        }
        for name in ["", "a b", "a_b", "ä", "../x", &"x".repeat(33), "plain", "worker", "viewer"] {
            check(name).unwrap_err();
        }
    }
}
