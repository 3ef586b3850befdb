// Package rules gives the commands that write manifests their preflight rules: the flag that names the folder of plugins,
// the host that runs them, and what the verbs take of it as plain functions. Where there are no plugins, no rules are run;
// the person is told, and the checks that are then missing keep everything from being packed.
package rules
