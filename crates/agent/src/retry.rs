//! How long to leave a failing server alone.

use crate::settings::Limits;
use std::time::Duration;

/// The pause before attempt `attempt` (1 = the first repetition): doubled each time, at least what the server asked for, never
/// longer than the limit, however much was asked for.
pub fn pause(attempt: u32, asked: Option<Duration>, limits: &Limits) -> Duration {
    let doubled = limits.pause.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    doubled.max(asked.unwrap_or_default()).min(limits.longest_pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let limits =
            Limits { pause: Duration::from_secs(2), longest_pause: Duration::from_secs(60), ..Limits::default() };
        let check = |attempt, asked: Option<u64>, expect| {
            assert_eq!(pause(attempt, asked.map(Duration::from_secs), &limits), Duration::from_secs(expect));
        };
        check(1, None, 2);
        check(2, None, 4);
        check(3, Some(20), 20);
        check(4, Some(1), 16);
        check(9, None, 60);
        check(1, Some(86_400), 60);
        check(u32::MAX, None, 60);
    }
}
