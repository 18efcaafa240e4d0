"""Where the engine differs from torch on purpose. All of it is here; each test says why."""
ONLY_HERE={("softmax","int64"),("softmax","bool"),("log_softmax","int64"),("log_softmax","bool"),("norm","int64"),("norm","bool"),("argmax","bool"),("argmin","bool")}
