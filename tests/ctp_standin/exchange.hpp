// A small futures exchange inside the process: one investor, recorded quotes, orders matched at the best price.
//
// It knows nothing of the vendor's interface; trader.cpp and market_data.cpp translate. Nothing moves by itself:
// `publish` shows the next recorded quotes, `settle_orders` lets waiting orders reach the book. Prices in CNY,
// volumes in contracts, money in CNY. Fees are ratios of a fill's worth, to the cent. `save` and `restore` carry the
// exchange's day over to the next process. For a process that no test drives, the environment can name quotes
// (CTP_STANDIN_QUOTES) that are shown again and again, without a pause.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace standin {

enum class Side { Buy, Sell };
enum class Offset { Open, Close, CloseToday, CloseYesterday };
enum class OrderState { Received, Queueing, Partial, Filled, Cancelled, Rejected };

struct Contract {
    std::string symbol, exchange, product, name;
    int multiplier;
    double tick, margin_ratio;
    bool today_apart;  // SHFE: positions of today and of yesterday are closed with different offsets
    double fee, fee_today;  // of opening and closing, of closing a position of the same day
};

struct Quote {
    std::string symbol, date, time;  // date yyyymmdd, time HH:MM:SS
    int millisecond;
    double last;
    long volume;
    double turnover, open_interest, bid, ask;
    int bid_volume, ask_volume;
    double limit_up, limit_down, open, high, low, pre_close;
};

struct Order {
    int front, session;
    std::string ref, symbol, exchange;
    Side side;
    Offset offset;
    double price;
    int volume;
    int traded = 0;
    OrderState state = OrderState::Received;
    std::string system_id, date, time, message;
    int remaining() const { return volume - traded; }
    bool working() const { return state <= OrderState::Partial; }
};

struct Fill {
    std::string trade_id, order_system_id, ref, symbol, exchange, date, time;
    Side side;
    Offset offset;
    double price;
    int volume;
};

struct Holding {
    int yesterday = 0, today = 0;
    double cost = 0;  // CNY, price times multiplier times volume
    int volume() const { return yesterday + today; }
};

struct HoldingView {
    Contract contract;
    Side side;  // Buy is long
    Holding holding;
    int frozen_yesterday, frozen_today;  // volume in working close orders
    double last;
};

struct Money {
    double balance, available, margin, close_profit, position_profit, fees;
};

struct Failure {
    int code = 0;
    std::string message;  // bytes in GB18030
    explicit operator bool() const { return code != 0; }
};

// A client's side of the trading front. Calls arrive while the exchange is locked: only queue what comes.
class TraderClient {
public:
    virtual void front_connected() = 0;
    virtual void front_disconnected(int reason) = 0;
    virtual void on_order(const Order&) = 0;
    virtual void on_fill(const Fill&) = 0;
protected:
    ~TraderClient() = default;
};

class QuoteClient {
public:
    virtual void front_connected() = 0;
    virtual void front_disconnected(int reason) = 0;
    virtual void on_quote(const Quote&) = 0;
protected:
    ~QuoteClient() = default;
};

struct Session {
    int front, id;
};

class Exchange {
public:
    static Exchange& instance();

    // Driven by the test.
    int load(const std::string& path);  // rows read, -1 when the file cannot be read
    int publish(int count);             // next quotes; how many there were
    void settle_orders();
    void connect();
    void disconnect(int reason);
    void refuse_queries(int count) { refusals_ = count; }
    void refuse_orders(int at_the_front, int at_the_exchange) {
        front_refusals_ = at_the_front;
        exchange_refusals_ = at_the_exchange;
    }
    std::string describe_orders();
    bool save(const std::string& path);
    bool restore(const std::string& path);  // after `load` of the same quotes

    // The trading front. Requests need `reachable`.
    void attach(TraderClient* client);
    void detach(TraderClient* client);
    bool reachable();
    bool throttled();
    Failure authenticate(const std::string& broker, const std::string& user, const std::string& code);
    Failure login(const std::string& broker, const std::string& user, const std::string& password, Session&);
    void start_flow(bool from_the_beginning);  // after the login was answered
    void confirm_settlement();
    Failure insert(Order order);
    void answer_later(std::function<void()> answer);  // given with the next `settle_orders`
    Failure cancel(int front, int session, const std::string& ref);
    std::vector<Contract> contracts();
    std::vector<HoldingView> holdings();
    Money money();
    std::string trading_day();

    // The quote front.
    void attach(QuoteClient* client);
    void detach(QuoteClient* client);
    bool subscribe(const std::string& symbol);  // false for an unknown contract
    void unsubscribe(const std::string& symbol);

private:
    Exchange();
    void run_by_itself(const std::string& quotes);
    const Contract* find(const std::string& symbol) const;
    Failure check_close(const Order&, const Contract&);
    int frozen(const std::string& symbol, Side held, bool today) const;
    void accept(Order&);
    void match(Order&);
    double charge(const Order&, const Contract&, int volume, double worth) const;
    void apply(const Order&, int volume, double price);
    void tell(const Order&);
    void tell(const Fill&);
    const Quote* quote(const std::string& symbol) const;
    Money compute_money() const;

    std::recursive_mutex mutex_;
    std::vector<Contract> contracts_;
    std::deque<Quote> recorded_;
    std::map<std::string, Quote> quotes_;
    std::set<std::string> subscribed_;
    std::deque<Order> orders_;
    std::map<std::pair<std::string, Side>, Holding> holdings_;
    std::vector<std::variant<Order, Fill>> flow_;  // everything the investor was told today, in order
    std::vector<std::function<void()>> answers_;
    TraderClient* trader_ = nullptr;
    QuoteClient* quoter_ = nullptr;
    bool up_ = true, authenticated_ = false, logged_in_ = false, flowing_ = false, settled_ = false;
    int refusals_ = 0, front_refusals_ = 0, exchange_refusals_ = 0, sessions_ = 0, next_order_ = 0, next_fill_ = 0, shown_ = 0;
    double close_profit_ = 0, fees_ = 0;
};

}  // namespace standin
