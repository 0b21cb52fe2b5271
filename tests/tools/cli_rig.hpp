#pragma once
// Runs the built binary as a user would: in a directory of its own, through the shell.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace eos::tests {

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// One lost acknowledgement of a producer without idempotence: one duplicate, in milliseconds.
inline constexpr const char* one_duplicate = R"(eosim: 1
name: one-duplicate
duration: 5s
settle: 5s
topics:
  orders: { partitions: 1 }
apps:
  shop:
    kind: producer
    to: orders
    records: 10
    rate: 10/s
    mode: at-least-once
    config: { request.timeout.ms: 1000 }
faults:
  - name: ack-lost
    when: rpc.sent
    match: { api: Produce, side: response, to: app:shop/0 }
    nth: 3
    do: drop
    notice: disconnect
    target: event
expect:
  lost: none
  duplicates: 1
  reached: [ack-lost]
sweep:
  variants:
    plain: {}
    idempotent:
      set: { apps.shop.mode: idempotent }
      expect: { duplicates: none }
)";

struct Ran {
    int code = -1;
    std::string out;
    std::string err;
};

class Cli {
  public:
    Cli() {
        auto pattern = (std::filesystem::temp_directory_path() / "eosim-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
        write("one.yaml", one_duplicate);
        // The commands that are printed say "eosim": let the shell find it under this name.
        std::filesystem::create_directory(directory_ / "bin");
        std::filesystem::create_symlink(EOSIM_BINARY, directory_ / "bin" / "eosim");
    }
    ~Cli() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    Cli(const Cli&) = delete;
    Cli& operator=(const Cli&) = delete;

    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((directory_ / name).parent_path());
        std::ofstream(directory_ / name, std::ios::binary) << text;
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        return read_text(directory_ / name);
    }
    [[nodiscard]] bool exists(const std::string& name) const {
        return std::filesystem::exists(directory_ / name);
    }
    /// Files whose names hold `part`, at any depth.
    [[nodiscard]] int files_named(const std::string& part) const {
        int count = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_))
            if (entry.path().filename().string().find(part) != std::string::npos) ++count;
        return count;
    }

    /// A line of the shell, in this directory.
    Ran shell(const std::string& line) const {
        const auto out = directory_ / "stdout.txt";
        const auto err = directory_ / "stderr.txt";
        const auto whole = "cd '" + directory_.string() + "' && PATH=\"$PWD/bin:$PATH\" && { " +
                           line + "\n} >'" + out.string() + "' 2>'" + err.string() + "'";
        const int status = std::system(whole.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(out), read_text(err)};
    }
    Ran eosim(const std::string& arguments) const { return shell("eosim " + arguments); }

  private:
    std::filesystem::path directory_;
};

/// What follows a word of the screen, to the end of the command it begins.
inline std::string command_after(const std::string& screen, const std::string& word) {
    auto at = screen.find(word);
    if (at == std::string::npos) return "";
    at = screen.find_first_not_of(' ', at + word.size());
    auto end = screen.find('\n', at);
    while (end != std::string::npos && screen[end - 1] == '\\') end = screen.find('\n', end + 1);
    return screen.substr(at, end - at);
}

inline bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace eos::tests
