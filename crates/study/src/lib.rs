//! Plan, schedule, resume, close and report a study.
