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
pub(crate) const TABLE: [Row; 14] = [
    Row {
        mode: "none",
        scenario: Scenario::Warm,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 2),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("increment_metric", 1),
        ],
        allocations: 1,
        instructions: 68000,
    },
    Row {
        mode: "api-key",
        scenario: Scenario::Warm,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 2),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("get_header_map_value", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 1),
        ],
        allocations: 1,
        instructions: 76000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::Warm,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 5),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("get_header_map_value", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 1),
        ],
        allocations: 1,
        instructions: 85000,
    },
    Row {
        mode: "oidcproxy",
        scenario: Scenario::Warm,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 6),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("get_header_map_value", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 1),
        ],
        allocations: 1,
        instructions: 78000,
    },
    Row {
        mode: "oidcproxy",
        scenario: Scenario::FirstSight,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 6),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("get_header_map_value", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 1),
        ],
        allocations: 1,
        instructions: 203000,
    },
    Row {
        mode: "zscaler",
        scenario: Scenario::Warm,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 2),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("get_header_map_value", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 1),
        ],
        allocations: 1,
        instructions: 90000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::Session,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 5),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("get_header_map_value", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 2),
            ("replace_header_map_value", 2),
        ],
        allocations: 2,
        instructions: 164000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::Browser,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 5),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 2),
            ("increment_metric", 1),
            ("remove_header_map_value", 5),
            ("replace_header_map_value", 3),
        ],
        allocations: 2,
        instructions: 112000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::Rules,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 5),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("get_header_map_value", 1),
            ("get_property", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 1),
        ],
        allocations: 2,
        instructions: 93000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::FirstSight,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 5),
            ("call_foreign_function", 1),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("get_header_map_value", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 1),
        ],
        allocations: 2,
        instructions: 250000,
    },
    Row {
        mode: "jwt",
        scenario: Scenario::FirstSightInTheVm,
        status: 200,
        hostcalls: &[
            ("add_header_map_value", 5),
            ("get_current_time_nanoseconds", 1),
            ("get_header_map_pairs", 1),
            ("get_header_map_value", 1),
            ("increment_metric", 1),
            ("remove_header_map_value", 1),
        ],
        allocations: 1,
        instructions: 1320000,
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
        instructions: 84000,
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
        instructions: 74000,
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
        instructions: 85000,
    },
];
