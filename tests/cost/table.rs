//! The figures. When a change makes a request cheaper or dearer, the failing test prints the rows
//! anew.

use crate::scenario::Scenario;

/// What the last request of a scenario takes.
pub(crate) struct Row {
    /// The mode.
    pub(crate) mode: &'static str,
    /// What is asked.
    pub(crate) scenario: Scenario,
    /// The status of the answer; 200 is that of the protected resource.
    pub(crate) status: usize,
    /// Every host call and how many there are of it: no more and no fewer.
    pub(crate) hostcalls: &'static [(&'static str, usize)],
    /// How often the host has the module allocate memory: no more and no less often.
    pub(crate) allocations: usize,
    /// The most instructions: some ten per cent above what was counted, as another compiler makes
    /// other ones.
    pub(crate) instructions: u64,
}

/// Every row.
pub(crate) const TABLE: [Row; 11] = [
    Row {
        mode: "none",
        scenario: Scenario::Warm,
        status: 200,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 2),
            ("replace_header_map_value", 2),
        ],
        allocations: 1,
        instructions: 136000,
    },
    Row {
        mode: "api-key",
        scenario: Scenario::Warm,
        status: 200,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 2),
            ("increment_metric", 1),
            ("remove_header_map_value", 3),
            ("replace_header_map_value", 2),
        ],
        allocations: 2,
        instructions: 195000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::Warm,
        status: 200,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 2),
            ("increment_metric", 1),
            ("remove_header_map_value", 6),
            ("replace_header_map_value", 5),
        ],
        allocations: 2,
        instructions: 272000,
    },
    Row {
        mode: "zscaler",
        scenario: Scenario::Warm,
        status: 200,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 2),
            ("increment_metric", 1),
            ("remove_header_map_value", 3),
            ("replace_header_map_value", 2),
        ],
        allocations: 2,
        instructions: 216000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::Session,
        status: 200,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 2),
            ("increment_metric", 1),
            ("remove_header_map_value", 8),
            ("replace_header_map_value", 7),
        ],
        allocations: 2,
        instructions: 364000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::Browser,
        status: 200,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 2),
            ("increment_metric", 1),
            ("remove_header_map_value", 10),
            ("replace_header_map_value", 8),
        ],
        allocations: 2,
        instructions: 300000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::Rules,
        status: 200,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 2),
            ("get_property", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 6),
            ("replace_header_map_value", 5),
        ],
        allocations: 3,
        instructions: 281000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::FirstSight,
        status: 200,
        hostcalls: &[
            ("call_foreign_function", 1),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 2),
            ("increment_metric", 1),
            ("remove_header_map_value", 6),
            ("replace_header_map_value", 5),
        ],
        allocations: 3,
        instructions: 540000,
    },
    Row {
        mode: "api-key",
        scenario: Scenario::Wrong,
        status: 401,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("increment_metric", 1),
            ("send_local_response", 1),
        ],
        allocations: 1,
        instructions: 173000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::Missing,
        status: 401,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("increment_metric", 1),
            ("send_local_response", 1),
        ],
        allocations: 1,
        instructions: 161000,
    },
    Row {
        mode: "zscaler",
        scenario: Scenario::Missing,
        status: 401,
        hostcalls: &[
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("increment_metric", 1),
            ("send_local_response", 1),
        ],
        allocations: 1,
        instructions: 172000,
    },
];
