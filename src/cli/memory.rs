//! How much memory the process has had.

/// The largest resident set so far, in MiB; `None` where the system does not say.
pub(super) fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    peak(&status)
}

fn peak(status: &str) -> Option<f64> {
    let rest = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_found() {
        assert_eq!(peak("Name:\tx\nVmPeak:\t  99 kB\nVmHWM:\t    2048 kB\n"), Some(2.0));
        assert_eq!(peak("VmHWM:\t2048 pages\n"), None);
        assert_eq!(peak(""), None);
    }
}
