//! The files of an install.

use crate::render::yaml::Yaml;

/// A file, named within the folder of the install.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct File {
    /// The name.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) text: String,
    /// Whether a secret is in it, so that nobody but its owner may read it.
    pub(crate) is_secret: bool,
}

/// Begins a file that was rendered, so that one that is no longer part of an install is known.
pub(crate) const MARK: &str = "# Rendered by `portcullis render ";

impl File {
    /// Makes a file of a value, with a remark about all of it.
    pub(crate) fn of(target: &str, name: &str, remark: &str, value: &Yaml) -> Self {
        let mark = format!("{MARK}{target}`: render it again instead of editing it.\n");
        let remark: String = remark.lines().map(|line| format!("# {line}\n")).collect();
        Self {
            name: name.to_owned(),
            text: format!("{mark}{remark}{}", value.document()),
            is_secret: false,
        }
    }
}

/// Writes the files one after another, for people and for `kubectl apply -f -`.
pub(crate) fn as_one(files: &[File]) -> String {
    let texts: Vec<&str> = files.iter().map(|file| file.text.as_str()).collect();
    texts.join("---\n")
}

/// A Kubernetes object's kind and name.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    /// As `apps/v1`.
    pub(crate) api: &'a str,
    /// As `Deployment`.
    pub(crate) kind: &'a str,
    /// The name in its namespace.
    pub(crate) name: &'a str,
    /// The namespace.
    pub(crate) namespace: &'a str,
    /// The install that it is part of.
    pub(crate) instance: &'a str,
}

impl Object<'_> {
    /// Begins the object; what is to follow is its `spec` or `data`.
    pub(crate) fn begin(self) -> Yaml {
        let labels = Yaml::map([
            ("app.kubernetes.io/name", "portcullis".into()),
            ("app.kubernetes.io/instance", self.instance.into()),
        ]);
        Yaml::map([
            ("apiVersion", self.api.into()),
            ("kind", self.kind.into()),
            (
                "metadata",
                Yaml::map([
                    ("name", self.name.into()),
                    ("namespace", self.namespace.into()),
                    ("labels", labels),
                ]),
            ),
        ])
    }

    /// Makes the file of the object with this specification.
    pub(crate) fn file(self, target: &str, remark: &str, spec: Yaml) -> File {
        let name = format!("{}-{}.yaml", self.kind.to_lowercase(), self.name);
        File::of(target, &name, remark, &self.begin().with("spec", spec))
    }
}
