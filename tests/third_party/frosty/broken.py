"""An adapter that cannot be imported."""

raise RuntimeError("the ice is too thin")
