//! One file per way of turning weak labels into a student.
