//! Small plans by hand.
